//! Replies: made by rkyv, and read where they lie.

use rkyv::rancor::Error;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize, access, access_unchecked, to_bytes};

use crate::search::Found;

/// What a search found.
#[derive(
    Debug, Clone, PartialEq, Archive, Serialize, Deserialize, serde::Serialize, serde::Deserialize,
)]
pub struct Reply {
    /// The best first.
    pub hits: Vec<Hit>,
}

/// One document.
#[derive(
    Debug, Clone, PartialEq, Archive, Serialize, Deserialize, serde::Serialize, serde::Deserialize,
)]
pub struct Hit {
    /// Its number.
    pub id: u32,
    /// How near it is to what was asked for.
    pub score: f32,
    /// What it is called.
    pub title: String,
}

impl From<&[Found]> for Reply {
    fn from(found: &[Found]) -> Reply {
        let hit = |found: &Found| Hit {
            id: found.id,
            score: found.score,
            title: format!("document number {}", found.id),
        };
        Reply { hits: found.iter().map(hit).collect() }
    }
}

impl Reply {
    /// The reply as bytes.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub fn encoded(&self) -> Result<AlignedVec, Error> {
        to_bytes(self)
    }
}

/// A reply that came as bytes, and stays so. They are checked once; from then on nobody can change them.
#[derive(Debug)]
pub struct Received(AlignedVec);

impl Received {
    /// Takes the bytes of a reply.
    ///
    /// # Errors
    /// If they are not those of a reply.
    pub fn new(bytes: AlignedVec) -> Result<Received, Error> {
        Received::check(&bytes)?;
        Ok(Received(bytes))
    }

    /// Looks at every hit.
    ///
    /// # Errors
    /// If they are not those of a reply.
    pub fn check(bytes: &AlignedVec) -> Result<&ArchivedReply, Error> {
        access(bytes)
    }

    /// The reply, where it lies: nothing is copied, decoded or looked at.
    #[expect(unsafe_code, reason = "checking at every access is what reading in place saves")]
    pub fn reply(&self) -> &ArchivedReply {
        // SAFETY: `new` has checked these very bytes as this type.
        unsafe { access_unchecked(&self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_arrives_as_it_was_and_anything_else_is_refused() {
        let found: Vec<_> = (0..10).map(|id| Found { id, score: 0.5 }).collect();
        let reply = Reply::from(found.as_slice());
        let mut bytes = reply.encoded().unwrap();
        let received = Received::new(bytes.clone()).unwrap();
        assert_eq!(rkyv::deserialize::<Reply, Error>(received.reply()).unwrap(), reply);
        let last = bytes.len() - 1;
        bytes[last] = 0xff;
        assert!(Received::new(bytes).is_err());
    }
}
