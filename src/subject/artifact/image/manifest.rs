//! Which parts of an archive or directory are the image's layers, as its documents say.

use perf_budget_core::outcome::Cause;
use serde::Deserialize;

use super::contents::{Blob, Contents};
use super::{Fault, Image};

/// How deep an index may lead to an index; real ones go to two.
const DEEPEST: usize = 4;

/// The one image that `contents` hold.
pub(super) fn image(contents: &Contents) -> Result<Image, Fault> {
    if contents.blob("manifest.json").is_some() {
        saved(contents)
    } else if contents.blob("index.json").is_some() && contents.blob("oci-layout").is_some() {
        laid_out(contents)
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

fn saved(contents: &Contents) -> Result<Image, Fault> {
    let images: Vec<Saved> = contents.document("manifest.json")?;
    let name = |image: &Saved| match image.tags.as_deref() {
        Some([tag, ..]) => tag.clone(),
        _ => image.config.clone(),
    };
    let image = only(&images, name, "save it alone")?;
    let layers = image.layers.as_deref().unwrap_or_default();
    layered(contents, &image.config, layers)
}

/// `index.json`, an index, or a manifest: all are told apart by what they have.
#[derive(Deserialize)]
struct Document {
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

#[derive(Clone, Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
    annotations: Option<Annotations>,
}

/// Of what stands beside a descriptor, what is looked at.
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
    /// Where the blob of this digest is stored.
    fn path(&self) -> Result<String, Fault> {
        match self.digest.split_once(':') {
            Some(("sha256", hex))
                if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) =>
            {
                Ok(format!("blobs/sha256/{hex}"))
            }
            _ => Err(Fault::new(format!("`{}` in it is no SHA-256 digest", self.digest))),
        }
    }

    /// Build records are kept beside images, as manifests of their own.
    fn is_attestation(&self) -> bool {
        let reference = self.annotations.as_ref().and_then(|a| a.reference.as_deref());
        reference == Some("attestation-manifest")
    }

    fn platform(&self) -> String {
        match &self.platform {
            Some(platform) => format!("{}/{}", platform.os, platform.architecture),
            None => self.digest.clone(),
        }
    }
}

fn laid_out(contents: &Contents) -> Result<Image, Fault> {
    let index: Document = contents.document("index.json")?;
    let mut images = vec![];
    collect(contents, index.manifests.unwrap_or_default(), DEEPEST, &mut images)?;
    images.dedup_by(|a, b| a.digest == b.digest);
    let image = only(&images, Descriptor::platform, "save it alone, for one platform")?;
    let manifest: Document = contents.document(&genuine(contents, image)?)?;
    let config =
        manifest.config.ok_or_else(|| Fault::new("its manifest names no configuration"))?;
    let layers = manifest.layers.unwrap_or_default();
    let layers = layers.iter().map(Descriptor::path).collect::<Result<Vec<_>, _>>()?;
    layered(contents, &genuine(contents, &config)?, &layers)
}

/// The manifests of images that are there. An index may name platforms that were not saved with it.
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
        let document: Document = contents.document(&genuine(contents, &descriptor)?)?;
        match document.manifests {
            Some(_) if deep == 0 => {
                return Err(Fault::new("its indexes lead to indexes without end"));
            }
            Some(manifests) => collect(contents, manifests, deep - 1, images)?,
            None => images.push(descriptor),
        }
    }
    Ok(())
}

/// The path of a blob whose content is what its digest says.
fn genuine(contents: &Contents, descriptor: &Descriptor) -> Result<String, Fault> {
    let path = descriptor.path()?;
    match contents.blob(&path) {
        None => Err(Fault::new(format!("`{path}` is missing in it"))),
        Some(blob) if format!("sha256:{}", blob.stored) != descriptor.digest.to_lowercase() => {
            Err(Fault::new(format!("`{path}` in it is damaged: its content has another digest")))
        }
        Some(_) => Ok(path),
    }
}

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

/// What an image runs, and the digest of each layer's uncompressed archive.
#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Option<Vec<String>>,
}

/// The image of these layers, every one of them held against the configuration.
fn layered(contents: &Contents, config: &str, layers: &[String]) -> Result<Image, Fault> {
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
