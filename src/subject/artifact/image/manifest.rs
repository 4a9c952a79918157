//! The documents of an image, which say which parts of an archive or directory are its layers.

use perf_budget_core::outcome::Cause;
use serde::Deserialize;

use super::contents::{Blob, Contents};
use super::fault::Fault;

/// How deep indexes may be nested. Those of real images have at most two levels.
const DEEPEST: usize = 4;

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// The length of each layer's uncompressed tar archive in bytes, from the lowest layer up.
    pub(crate) layers: Vec<u64>,
}

/// Reads the one image in `contents`.
pub(super) fn image(contents: &Contents) -> Result<Image, Fault> {
    if contents.blob("manifest.json").is_some() {
        read_saved(contents)
    } else if contents.blob("index.json").is_some() && contents.blob("oci-layout").is_some() {
        read_layout(contents)
    } else {
        Err(Fault::new(
            "it has neither the `manifest.json` of `docker save` nor the `oci-layout` and `index.json` \
             of an OCI layout",
        ))
    }
}

/// An image in `manifest.json`.
#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags")]
    tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Option<Vec<String>>,
}

/// Reads an image that `docker save` wrote.
fn read_saved(contents: &Contents) -> Result<Image, Fault> {
    let images: Vec<Saved> = contents.document("manifest.json")?;
    let name = |image: &Saved| match image.tags.as_deref() {
        Some([tag, ..]) => tag.clone(),
        _ => image.config.clone(),
    };
    let image = only(&images, name, "save it alone")?;
    let layers = image.layers.as_deref().unwrap_or_default();
    check_layers(contents, &image.config, layers)
}

/// The file `index.json`, another index, or a manifest. An index has `manifests`, and a manifest has `config` and
/// `layers`.
#[derive(Deserialize)]
struct Document {
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
}

impl Document {
    /// Whether this is the manifest of something that is stored beside an image: a signature, a bill of materials. Such a
    /// manifest names its kind, or its configuration or its content is of another type than those of images.
    fn is_beside_image(&self) -> bool {
        let is_other = |descriptor: &Descriptor, words: [&str; 2]| {
            let media = descriptor.media_type.as_deref();
            media.is_some_and(|media| !words.iter().any(|word| media.contains(word)))
        };
        let config = self.config.as_ref();
        let layers = self.layers.as_deref().unwrap_or_default();
        self.artifact_type.is_some()
            || config.is_some_and(|config| is_other(config, ["image.config", "container.image"]))
            || layers.iter().any(|layer| is_other(layer, ["tar", "layer"]))
    }
}

#[derive(Clone, Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
    annotations: Option<Annotations>,
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
}

/// The annotation of a descriptor that is needed here.
#[derive(Clone, Deserialize)]
struct Annotations {
    #[serde(rename = "vnd.docker.reference.type")]
    reference: Option<String>,
}

#[derive(Clone, Deserialize)]
struct Platform {
    os: String,
    architecture: String,
}

impl Descriptor {
    /// Returns the path of the blob with this digest.
    fn path(&self) -> Result<String, Fault> {
        match self.digest.split_once(':') {
            Some(("sha256", hex))
                if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) =>
            {
                Ok(format!("blobs/sha256/{hex}"))
            }
            _ => Err(Fault::new(format!("`{}` in it is not a SHA-256 digest", self.digest))),
        }
    }

    /// Whether this is a record of how an image was built. Such records are stored as manifests beside the images.
    fn is_attestation(&self) -> bool {
        let reference = self.annotations.as_ref().and_then(|a| a.reference.as_deref());
        reference == Some("attestation-manifest") || self.artifact_type.is_some()
    }

    fn platform(&self) -> String {
        match &self.platform {
            Some(platform) => format!("{}/{}", platform.os, platform.architecture),
            None => self.digest.clone(),
        }
    }
}

/// Reads an image of an OCI layout.
fn read_layout(contents: &Contents) -> Result<Image, Fault> {
    let index: Document = contents.document("index.json")?;
    let mut images = vec![];
    collect(contents, index.manifests.unwrap_or_default(), DEEPEST, &mut images)?;
    images.dedup_by(|a, b| a.digest == b.digest);
    let image = only(&images, Descriptor::platform, "save it alone, for one platform")?;
    let manifest: Document = contents.document(&checked_path(contents, image)?)?;
    let config =
        manifest.config.ok_or_else(|| Fault::new("its manifest names no configuration"))?;
    let layers = manifest.layers.unwrap_or_default();
    let layers = layers.iter().map(Descriptor::path).collect::<Result<Vec<_>, _>>()?;
    check_layers(contents, &checked_path(contents, &config)?, &layers)
}

/// Collects the manifests of the images that are there. An index may name platforms that were not saved with it.
fn collect(
    contents: &Contents,
    manifests: Vec<Descriptor>,
    deep: usize,
    images: &mut Vec<Descriptor>,
) -> Result<(), Fault> {
    for descriptor in manifests {
        if descriptor.is_attestation() || contents.blob(&descriptor.path()?).is_none() {
            continue;
        }
        let document: Document = contents.document(&checked_path(contents, &descriptor)?)?;
        match document.manifests {
            Some(_) if deep == 0 => {
                return Err(Fault::new("its indexes lead to indexes without end"));
            }
            Some(manifests) => collect(contents, manifests, deep - 1, images)?,
            None if document.is_beside_image() => {}
            None => images.push(descriptor),
        }
    }
    Ok(())
}

/// Returns the path of a blob, after checking that its content has the digest of the descriptor.
fn checked_path(contents: &Contents, descriptor: &Descriptor) -> Result<String, Fault> {
    let path = descriptor.path()?;
    match contents.blob(&path) {
        None => Err(Fault::new(format!("`{path}` is missing in it"))),
        Some(blob) if format!("sha256:{}", blob.stored) != descriptor.digest.to_lowercase() => {
            Err(Fault::new(format!("`{path}` in it is damaged: its content has another digest")))
        }
        Some(_) => Ok(path),
    }
}

/// Returns the only image. Fails if there is none or if there are several.
fn only<'a, T>(images: &'a [T], name: impl Fn(&T) -> String, remedy: &str) -> Result<&'a T, Fault> {
    match images {
        [] => Err(Fault::new("it holds no image")),
        [image] => Ok(image),
        _ => {
            let names: Vec<_> = images.iter().take(5).map(name).collect();
            let count = images.len();
            Err(Fault::new(format!(
                "it holds {count} images ({}) and a budget is about one; {remedy}",
                names.join(", ")
            )))
        }
    }
}

/// The configuration of an image. It has the digest of each layer's uncompressed archive.
#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Option<Vec<String>>,
}

/// Returns the image of these layers, after comparing the digest of each with the configuration.
fn check_layers(contents: &Contents, config: &str, layers: &[String]) -> Result<Image, Fault> {
    let config: Config = contents.document(config)?;
    let ids = config.rootfs.diff_ids.unwrap_or_default();
    if layers.is_empty() {
        return Err(Fault { cause: Cause::Empty, why: "it has no layer".to_owned() });
    }
    if layers.len() != ids.len() {
        return Err(Fault::new(format!(
            "its manifest names {} layers and its configuration {}",
            layers.len(),
            ids.len()
        )));
    }
    let size = |(name, id): (&String, &String)| match contents.blob(name) {
        Some(Blob { unpacked: Ok((bytes, digest)), .. }) if format!("sha256:{digest}") == *id => {
            Ok(*bytes)
        }
        Some(Blob { unpacked: Ok(_), .. }) => Err(Fault::new(format!(
            "its layer `{name}` is damaged: its content has another digest"
        ))),
        Some(Blob { unpacked: Err(fault), .. }) => {
            Err(Fault { why: format!("its layer `{name}`: {}", fault.why), ..fault.clone() })
        }
        None => Err(Fault::new(format!("its layer `{name}` is missing"))),
    };
    Ok(Image { layers: layers.iter().zip(&ids).map(size).collect::<Result<_, _>>()? })
}
