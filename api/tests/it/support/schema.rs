//! An endpoint's JSON Schemas, as another library understands them.

use boon::{Compiler, SchemaIndex, Schemas};
use common::{endpoint::EndpointInfo, schema};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

/// A schema that values can be held to.
pub(crate) struct Judge {
    /// The schema itself, with all that it refers to.
    pub schema: Value,
    schemas: Schemas,
    index: SchemaIndex,
}

impl Judge {
    /// Of the body that an endpoint reads.
    pub(crate) fn of_request(info: &EndpointInfo) -> Option<Self> {
        Self::new(info.request_schema, schema::requests())
    }

    /// Of what an endpoint answers.
    pub(crate) fn of_response(info: &EndpointInfo) -> Option<Self> {
        Self::new(info.response_schema, schema::responses())
    }

    fn new(describe: fn(&mut SchemaGenerator) -> Option<Schema>, mut generator: SchemaGenerator) -> Option<Self> {
        let mut schema = describe(&mut generator)?;
        schema.ensure_object().insert("$defs".to_owned(), Value::Object(generator.take_definitions(true)));
        let schema = schema.to_value();
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.enable_format_assertions();
        compiler.add_resource("https://box.example/schema", schema.clone()).unwrap();
        let index = compiler.compile("https://box.example/schema", &mut schemas).unwrap();
        Some(Self { schema, schemas, index })
    }

    /// What the schema says against a value.
    pub(crate) fn faults(&self, value: &Value) -> Option<String> {
        self.schemas.validate(value, self.index).err().map(|error| format!("{error:#}"))
    }
}
