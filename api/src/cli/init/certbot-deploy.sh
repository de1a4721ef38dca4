#!/bin/sh
# Put this into /etc/letsencrypt/renewal-hooks/deploy/ and make it executable: certbot runs it after each renewal.
# A restart, since a reload leaves the copies that systemd made. With coffer.socket it refuses no connection.
exec systemctl try-restart coffer.service
