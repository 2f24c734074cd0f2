//! What is kept is taken again only as it was written; whatever else there is, is refused.

use std::fs;

use super::*;
use crate::pack::{load, of_list};

const LIST: &str = "type,value,comment\nip,192.0.2.1,a\nip,198.51.100.0/24\nip,2001:db8::1\nip,2001:db8::/64\ndomain,evil.example,a\n\
    email,bob@evil.example\nmd5,d41d8cd98f00b204e9800998ecf8427e,b\nurl,http://evil.example:8080/a\nurl,http://evil.example/b\n";

const PACK: &str = "format: stormglass/1\nindicators:\n  - id: t\n    severity: low\n    source: s\n    \
    examples: {hit: [secret], miss: [b]}\n    match: {text: secret}\n";

/// Everything that yara-x compiles, and atoms that are found by what it compiles.
const PATTERNS: &str = r#"
format: stormglass/1
indicators:
  - {id: text, severity: low, source: s, examples: {hit: [one], miss: [b]}, match: {text: one}}
  - {id: hex, severity: low, source: s, examples: {hit: ["4d5a!"], miss: [b]}, match: {hex: "{ 34 64 35 61 21 }"}}
  - id: yara
    severity: low
    source: s
    examples: {hit: [three], miss: [b]}
    match: {yara: 'rule r { strings: $a = "three" condition: $a }'}
  - {id: agent, severity: low, source: s, examples: {hit: ["curl/7.88.1"], miss: [b]}, match: {user_agent: curl/7.88.1}}
"#;

const ODD_LIST: &str =
    "type,value\nip,192.0.2.9\nuser_agent,evilbot/1.0\ncertificate,d4b4cccda9228624656bff33d8110955779632aa\n";

struct Kit {
    folder: tempfile::TempDir,
    files: Vec<(&'static str, &'static str)>,
}

impl Kit {
    fn new(files: &[(&'static str, &'static str)]) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), files: files.to_vec() }
    }

    fn cache(&self) -> RulesetCache {
        RulesetCache::new(
            self.folder.path(),
            self.files.iter().map(|(name, text)| (*name, FileDigest::of(text.as_bytes()))),
        )
    }

    fn packs(&self) -> Vec<Pack> {
        self.files.iter().map(|(name, text)| load(name, text.as_bytes()).unwrap()).collect()
    }

    fn write(&self) -> PathBuf {
        let mut writer = self.cache().writer().unwrap();
        self.packs().iter().for_each(|pack| writer.add(pack).unwrap());
        writer.finish(&Ruleset::compile(self.packs()).unwrap()).unwrap();
        self.cache().path()
    }

    fn is_refused(&self) -> bool {
        self.cache().read().is_err()
    }
}

/// Writes the digest of a file's content behind it, as whoever forges one would.
fn digested(bytes: &[u8]) -> Vec<u8> {
    let body = &bytes[..bytes.len() - DIGEST_BYTES];
    [body, Sha256::digest(body).as_slice()].concat()
}

fn atoms(ruleset: &Ruleset) -> Vec<(String, String)> {
    ruleset.atoms().map(|(indicator, value)| (indicator.id().into_owned(), value.value())).collect()
}

#[test]
fn what_is_kept_is_what_was_compiled() {
    let kit = Kit::new(&[("a.csv", LIST), ("b.yaml", PACK), ("c.txt", "192.0.2.1\nother.example\n")]);
    assert!(kit.cache().read().unwrap().is_none());
    kit.write();
    let mut stored = kit.cache().read().unwrap().unwrap();
    let lists: Vec<Option<Listed>> = stored.lists.drain(..).collect();
    assert_eq!(lists.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    let packs: Vec<Pack> = kit
        .packs()
        .into_iter()
        .zip(lists)
        .map(|(pack, list)| list.map_or(pack.clone(), |listed| of_list(&pack.file, listed)))
        .collect();
    let values = |packs: &[Pack]| packs.iter().map(|pack| pack.listed.values().clone()).collect::<Vec<_>>();
    assert_eq!(values(&packs), values(&kit.packs()));
    let again = Ruleset::compile_stored(packs, stored).unwrap();
    assert_eq!(atoms(&again), atoms(&Ruleset::compile(kit.packs()).unwrap()));
    assert_eq!(atoms(&again).len(), 11);
}

#[test]
fn all_that_is_compiled_is_kept_and_finds_the_same() {
    let kit = Kit::new(&[("a.csv", LIST), ("p.yaml", PATTERNS), ("odd.csv", ODD_LIST)]);
    kit.write();
    let stored = kit.cache().read().unwrap().unwrap();
    let kept: Vec<bool> = stored.lists.iter().map(Option::is_some).collect();
    assert_eq!(kept, [true, false, false], "what has no compact form is read again");
    let (again, new) = (Ruleset::compile_stored(kit.packs(), stored).unwrap(), Ruleset::compile(kit.packs()).unwrap());
    let found = |ruleset: &Ruleset, text: &[u8]| {
        let mut scanners = super::super::scanners::Scanners::new(&ruleset.patterns);
        let mut places = Vec::new();
        let whole = 0..text.len();
        scanners.search(text, &[whole], &mut |pattern, range| places.push((pattern, range))).unwrap();
        let rules = [scanners.rules(text).unwrap(), scanners.hexes(text).unwrap()].concat();
        (places, rules.into_iter().map(|hit| (hit.indicator, hit.leaf, hit.rule)).collect::<Vec<_>>())
    };
    let text = b"one 4d5a! three \"curl/7.88.1\" \"evilbot/1.0\" 1LTMzakihiRla_8z2BEJVXeWMqo";
    assert_eq!(found(&again, text), found(&new, text));
    let (places, rules) = found(&again, text);
    assert_eq!((places.len(), rules.len()), (5, 2));
    let atoms = places.iter().filter_map(|(pattern, _)| again.patterns.patterns.get(*pattern)?.atom);
    let values: Vec<String> = atoms.map(|atom| again.atoms.value(atom).unwrap().value()).collect();
    assert_eq!(values, ["curl/7.88.1", "evilbot/1.0", "d4b4cccda9228624656bff33d8110955779632aa"]);
}

#[test]
fn other_packs_in_another_order_are_another_ruleset() {
    let key = |files: &[(&'static str, &'static str)]| Kit::new(files).cache().key;
    let both = key(&[("a", "1"), ("b", "2")]);
    assert_eq!(both, key(&[("a", "1"), ("b", "2")]));
    for other in
        [[("b", "2"), ("a", "1")], [("a", "1"), ("b", "3")], [("a", "1"), ("c", "2")], [("a1", ""), ("b", "2")]]
    {
        assert_ne!(both, key(&other));
    }
    assert_ne!(both, key(&[("a", "1")]));
}

#[test]
fn every_changed_byte_is_noticed() {
    let kit = Kit::new(&[("a.csv", LIST), ("b.yaml", PACK)]);
    let path = kit.write();
    let whole = fs::read(&path).unwrap();
    // All of the head and the tables, and a sample of the machine code.
    for at in (0..whole.len()).filter(|at| *at < 4_000 || at % 101 == 0 || whole.len() - at <= DIGEST_BYTES) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        assert!(kit.is_refused(), "byte {at}");
    }
    for length in (0..whole.len()).filter(|at| *at < 4_000 || at % 101 == 0).chain([whole.len() - 1]) {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(kit.is_refused(), "{length} bytes");
    }
    fs::write(&path, [whole.as_slice(), b"\0"].concat()).unwrap();
    assert!(kit.is_refused());
    fs::write(&path, &whole).unwrap();
    assert!(!kit.is_refused());
}

#[test]
fn foreign_files_are_refused_though_their_digest_is_right() {
    let kit = Kit::new(&[("a.csv", LIST)]);
    let path = kit.write();
    let whole = fs::read(&path).unwrap();
    for at in [MAGIC.len() - 2, MAGIC.len()] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, digested(&bytes)).unwrap();
        assert!(kit.is_refused(), "byte {at}");
    }
    fs::write(&path, digested(&whole)).unwrap();
    assert!(!kit.is_refused());
    let other = Kit { folder: tempfile::tempdir().unwrap(), files: vec![("a.csv", "type,value\nip,192.0.2.1\n")] };
    other.write();
    fs::copy(other.cache().path(), &path).unwrap();
    assert!(kit.is_refused());
}

#[test]
fn no_table_that_was_forged_makes_a_panic() {
    let kit = Kit::new(&[("a.csv", LIST)]);
    let path = kit.write();
    let whole = fs::read(&path).unwrap();
    // All of the tables, and a sample of the filters, which are words of any bits.
    let body = MAGIC.len() + DIGEST_BYTES..whole.len() - DIGEST_BYTES;
    for at in body.filter(|at| *at < 4_000 || at % 101 == 0) {
        for bit in [0, 3, 7] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            fs::write(&path, digested(&bytes)).unwrap();
            let Ok(Some(mut stored)) = kit.cache().read() else { continue };
            let lists = stored.lists.drain(..).map(|list| of_list("a.csv", list.unwrap_or_default())).collect();
            if let Ok(ruleset) = Ruleset::compile_stored(lists, stored) {
                assert!(atoms(&ruleset).len() <= 9);
                let digests = super::super::Digests(vec![(crate::observable::HashKind::Md5, "d4".repeat(16))]);
                assert!(ruleset.digest_hits(&digests).is_empty());
            }
        }
    }
}

#[test]
fn many_writers_at_once_leave_one_whole_file() {
    let kit = Kit::new(&[("a.csv", LIST), ("b.yaml", PACK)]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                kit.write();
                assert!(kit.cache().read().unwrap().is_some());
            });
        }
    });
    assert_eq!(fs::read_dir(kit.folder.path()).unwrap().count(), 1);
}

#[test]
fn a_writer_that_gives_up_leaves_nothing() {
    let kit = Kit::new(&[("a.csv", LIST)]);
    drop(kit.cache().writer().unwrap());
    assert_eq!(fs::read_dir(kit.folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn what_others_can_write_is_not_read() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let kit = Kit::new(&[("a.csv", LIST)]);
    let path = kit.write();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(mode(&path), 0o600);
    for (of, open, own) in
        [(path.as_path(), 0o620, 0o600), (path.as_path(), 0o602, 0o600), (kit.folder.path(), 0o777, 0o700)]
    {
        set(of, open);
        assert!(matches!(kit.cache().read(), Err(CacheError::Unsafe(_))), "{open:o}");
        set(of, own);
        assert!(!kit.is_refused());
    }
    set(kit.folder.path(), 0o777);
    assert!(matches!(kit.cache().writer(), Err(CacheError::Unsafe(_))));
    set(kit.folder.path(), 0o700);
    let moved = kit.folder.path().join("moved");
    fs::rename(&path, &moved).unwrap();
    symlink(&moved, &path).unwrap();
    assert!(matches!(kit.cache().read(), Err(CacheError::Unsafe(_))));
}

#[cfg(unix)]
#[test]
fn a_folder_is_made_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let kit = Kit::new(&[("a.csv", LIST)]);
    let folder = kit.folder.path().join("deep/er");
    let cache = RulesetCache { folder: folder.clone(), ..kit.cache() };
    drop(cache.writer().unwrap());
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
}
