//! The manifest of what is deployed.

use dacapo::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::Manifest;

use super::{
    DynamoStore,
    item::{key, number, text, text_of},
};
use crate::error::What;

/// The item's key, both parts.
const MANIFEST: &str = "manifest";
/// The attribute that holds it, as JSON text.
const DATA: &str = "data";
/// When it was made.
const MADE_MS: &str = "madeMs";

impl DynamoStore {
    pub(super) async fn read_manifest(&self) -> PortResult<Option<Manifest>> {
        let Some(item) = self.get(MANIFEST, MANIFEST).await? else { return Ok(None) };
        let manifest = serde_json::from_str(text_of(&item, DATA).unwrap_or_default());
        manifest.map(Some).map_err(|error| {
            let message = format!(
                "failed to read the manifest (was the app deployed by another version? deploy it again): {error}"
            );
            PortError::new(PortErrorKind::Refused, message).caused_by(error)
        })
    }

    /// A newer one stays: a write that comes late must not bring yesterday's functions back.
    pub(super) async fn write_manifest(&self, manifest: &Manifest) -> PortResult<()> {
        let data = serde_json::to_string(manifest)
            .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to write the manifest").caused_by(error))?;
        let mut item = key(MANIFEST, MANIFEST);
        item.insert(DATA.to_owned(), text(data));
        item.insert(MADE_MS.to_owned(), number(manifest.made_ms));
        let put = self
            .client
            .put_item()
            .table_name(self.table())
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #madeMs <= :madeMs")
            .expression_attribute_names("#madeMs", MADE_MS)
            .expression_attribute_values(":madeMs", number(manifest.made_ms));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(self.failed(What::new("store the manifest"), error)),
        }
    }
}
