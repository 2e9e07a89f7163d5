//! The files: uploads, ids and downloads.

use std::collections::HashMap;

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::server::upload::Upload;
use crate::telegram::files::Stored;
use crate::telegram::refusal::Refusal;
use crate::telegram::state::State;

/// The maximum size of a bot's download.
const DOWNLOAD_MAX: u64 = 20 << 20;

impl State {
    /// Stores a file as a medium of a kind such as `photo`, and returns the value of that field.
    ///
    /// `more` has fields that only the sender knows: `duration`, `title`, `width`.
    pub(in crate::telegram) fn keep_file(&mut self, kind: &str, upload: &Upload, more: &Value) -> Value {
        if kind == "photo" {
            return self.keep_photo(upload, more);
        }
        let (id, unique) = self.file_ids(kind);
        let size = upload.bytes.len();
        let mut frame = json!({ "file_id": id, "file_unique_id": unique, "file_size": size });
        let number = |name: &str, otherwise: u64| json!(more[name].as_u64().unwrap_or(otherwise));
        if matches!(kind, "audio" | "voice" | "video" | "animation" | "video_note") {
            frame["duration"] = number("duration", 3);
        }
        if matches!(kind, "video" | "animation" | "sticker") {
            frame["width"] = number("width", 512);
            frame["height"] = number("height", 512);
        }
        if matches!(kind, "document" | "audio" | "video" | "animation") {
            frame["file_name"] = json!(upload.name);
        }
        if !matches!(kind, "sticker" | "video_note") {
            frame["mime_type"] = json!(upload.media);
        }
        let named: &[&str] = match kind {
            "audio" => &["title", "performer"],
            "sticker" => &["emoji", "set_name"],
            _ => &[],
        };
        for name in named.iter().filter(|name| more[**name].is_string()) {
            frame[*name] = more[*name].clone();
        }
        if kind == "sticker" {
            frame["type"] = json!("regular");
            frame["is_animated"] = json!(upload.media == "application/x-tgsticker");
            frame["is_video"] = json!(upload.media == "video/webm");
        }
        if kind == "video_note" {
            frame["length"] = number("length", 240);
        }
        self.store(kind, &id, &unique, upload, &frame);
        frame
    }

    /// Stores a photo in several sizes, each as a file; the original is the last.
    fn keep_photo(&mut self, upload: &Upload, more: &Value) -> Value {
        let (width, height) = (more["width"].as_u64().unwrap_or(1_280), more["height"].as_u64().unwrap_or(960));
        let mut sizes = Vec::new();
        let mut kept = Vec::new();
        for largest in [90, 320, width.max(height)] {
            let scaled = |side: u64| (side * largest / width.max(height)).max(1);
            let (id, unique) = self.file_ids("photo");
            let is_original = largest == width.max(height);
            let bytes =
                if is_original { upload.bytes.clone() } else { Bytes::from(format!("{} at {largest}", upload.name)) };
            sizes.push(json!({
                "file_id": id, "file_unique_id": unique, "file_size": bytes.len(),
                "width": scaled(width), "height": scaled(height),
            }));
            kept.push((id, unique, Upload { bytes, ..upload.clone() }));
        }
        let frame = Value::Array(sizes);
        for (id, unique, upload) in kept {
            self.store("photo", &id, &unique, &upload, &frame);
        }
        frame
    }

    fn file_ids(&mut self, kind: &str) -> (String, String) {
        let number = self.fresh();
        (format!("AgACAgI{kind}{number:08}xkeBAAE"), format!("AQAD{number:06}"))
    }

    fn store(&mut self, kind: &str, id: &str, unique: &str, upload: &Upload, frame: &Value) {
        let extension = upload.name.rsplit_once('.').map_or("bin", |(_, extension)| extension);
        let path = format!("{kind}s/file_{}.{extension}", self.files.stored.len());
        let stored = Stored {
            kind: kind.to_owned(),
            unique: unique.to_owned(),
            path,
            size: upload.bytes.len() as u64,
            frame: frame.clone(),
            bytes: upload.bytes.clone(),
        };
        self.files.stored.insert(id.to_owned(), stored);
    }

    /// Resolves a medium of a call: an uploaded file, a file id, or a URL.
    pub(in crate::telegram) fn resolve(
        &mut self,
        kind: &str,
        source: &str,
        files: &HashMap<String, Upload>,
        more: &Value,
    ) -> Result<Value, Refusal> {
        if let Some(name) = source.strip_prefix("attach://") {
            let upload = files.get(name);
            let upload = upload.ok_or_else(|| {
                Refusal::blamed("wrong file identifier/HTTP URL specified", "no such file came along")
            })?;
            if upload.bytes.is_empty() {
                return Err(Refusal::broken_rule("file must be non-empty"));
            }
            return Ok(self.keep_file(kind, upload, more));
        }
        if source.starts_with("http://") || source.starts_with("https://") {
            let name = source.rsplit('/').next().unwrap_or_default().to_owned();
            let upload = Upload {
                name,
                media: "application/octet-stream".to_owned(),
                bytes: Bytes::from_static(b"from the web"),
            };
            return Ok(self.keep_file(kind, &upload, more));
        }
        let Some(stored) = self.files.stored.get(source) else {
            return Err(Refusal::bad("wrong file identifier/HTTP URL specified"));
        };
        if stored.kind != kind {
            let reason = format!("can't use file of type {} as {kind}", stored.kind);
            return Err(Refusal::bad(&reason));
        }
        Ok(stored.frame.clone())
    }

    /// Returns the result of `getFile`.
    pub(in crate::telegram) fn file_frame(&self, id: &str) -> Result<Value, Refusal> {
        let stored = self.files.stored.get(id);
        let stored = stored.ok_or_else(|| Refusal::bad("wrong file_id or the file is temporarily unavailable"))?;
        if stored.size > DOWNLOAD_MAX {
            return Err(Refusal::bad("file is too big"));
        }
        let (unique, size, path) = (&stored.unique, stored.size, &stored.path);
        Ok(json!({ "file_id": id, "file_unique_id": unique, "file_size": size, "file_path": path }))
    }

    /// Returns the content of the file at a path.
    pub(in crate::telegram) fn file_at(&self, path: &str) -> Option<Bytes> {
        let mut all = self.files.stored.values();
        all.find(|file| file.path == path && file.size <= DOWNLOAD_MAX).map(|file| file.bytes.clone())
    }
}
