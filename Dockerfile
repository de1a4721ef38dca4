# Two stages: everything is built in Rust's own image, and only the server goes into the one that runs.
#
#     docker build -t coffer .        (BuildKit, for the cache mounts: the second build takes a minute or two)

FROM rust:1.95.0-bookworm AS build
# For wasm-opt, which makes the web app a third smaller.
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm && rm -rf /var/lib/apt/lists/*
# In a layer of its own, so that a change of the source does not load it anew.
RUN rustup target add wasm32-unknown-unknown
WORKDIR /src
COPY . .
# xtask pins and installs the rest (trunk, wasm-bindgen, wasm-opt) and fails if the web app cannot be built.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo xtask dist && mkdir -p /image/data && cp target/dist/coffer /image/coffer

# glibc and CA certificates, no shell, no package manager, user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /image/coffer /usr/local/bin/coffer
# A new named volume takes over this folder's owner, so that the server may write to it.
COPY --from=build --chown=65532:65532 /image/data /data
# The server refuses plain HTTP on this address until COFFER_INSECURE_HTTP=true says that something else keeps the network away.
# compose.yaml says so, because it publishes the port on this machine only.
ENV COFFER_DATA=/data COFFER_LISTEN=0.0.0.0:8000
USER 65532:65532
VOLUME /data
EXPOSE 8000
# SIGTERM, Docker's own stop signal, lets open requests finish.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/local/bin/coffer", "health"]
ENTRYPOINT ["/usr/local/bin/coffer"]
CMD ["serve"]
