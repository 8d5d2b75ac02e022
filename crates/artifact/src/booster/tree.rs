//! Whether the nodes of a tree form one.

/// Nodes of one tree that are followed.
pub(super) const MAX_NODES: usize = 1 << 24;

/// Checks that every child exists and has one parent, and the root none: then no walk from the root goes in circles.
/// `children` holds the links of every inner node; what they lead to is a number below `nodes`.
pub(super) fn check(children: impl Iterator<Item = u64>, nodes: u64) -> Result<(), String> {
    let Some(count) = usize::try_from(nodes).ok().filter(|count| *count <= MAX_NODES) else {
        return Err(format!("{nodes} nodes"));
    };
    let mut has_parent = vec![false; count];
    for child in children {
        let slot = usize::try_from(child).ok().and_then(|child| has_parent.get_mut(child));
        match slot {
            Some(seen) if !*seen && child != 0 => *seen = true,
            Some(_) => return Err(format!("node {child} is reached twice")),
            None => return Err(format!("node {child} of {nodes} does not exist")),
        }
    }
    Ok(())
}
