using Meft.Core.Errors;

namespace Meft.Core.Formats.Safetensors;

/// <summary>All that an index says and the shards beside it do not bear out.</summary>
/// <param name="Missing">Shards that are not there, with the tensors that they should hold.</param>
/// <param name="Absent">Tensors that their shard does not hold, with the shard.</param>
/// <param name="Twice">Tensors that another shard than theirs holds, or more than one, with all that hold them.</param>
internal sealed record ShardProblems(
    IReadOnlyList<(string Shard, IReadOnlyList<string> Tensors)> Missing, IReadOnlyList<(string Tensor, string Shard)> Absent,
    IReadOnlyList<(string Tensor, IReadOnlyList<string> Shards)> Twice)
{
    /// <summary>How many there are.</summary>
    public int Count => Missing.Count + Absent.Count + Twice.Count;

    /// <summary>Compares an index with the shards that are there.</summary>
    public static ShardProblems Of(SafetensorsIndex index, IReadOnlyList<SafetensorsFile> shards)
    {
        var byName = shards.ToDictionary(shard => Path.GetFileName(shard.Path), StringComparer.Ordinal);
        var missing = index.ShardOf.Where(t => !byName.ContainsKey(t.Value)).GroupBy(t => t.Value, t => t.Key)
            .OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => (g.Key, (IReadOnlyList<string>)[.. g.Order(StringComparer.Ordinal)])).ToList();
        var absent = index.ShardOf.Where(t => byName.TryGetValue(t.Value, out var shard) && !shard.Tensors.ContainsKey(t.Key))
            .Select(t => (t.Key, t.Value)).OrderBy(t => t.Key, StringComparer.Ordinal).ToList();
        var twice = byName.SelectMany(shard => shard.Value.Tensors.Keys.Select(tensor => (Tensor: tensor, Shard: shard.Key)))
            .GroupBy(held => held.Tensor, held => held.Shard).Where(held => held.Count() > 1)
            .OrderBy(held => held.Key, StringComparer.Ordinal).Select(held => (held.Key, (IReadOnlyList<string>)[.. held.Order(StringComparer.Ordinal)])).ToList();
        return new ShardProblems(missing, absent, twice);
    }

    /// <summary>One error that says them all.</summary>
    public SafetensorsIndexException ToException(string indexPath)
    {
        var parts = Missing.Select(m => $"the shard '{FileText.Shown(m.Shard)}' is missing from the folder, with {m.Tensors.Count} tensors: {TensorNames.Listed(m.Tensors)}")
            .Concat(Absent.GroupBy(a => a.Shard, a => a.Tensor).Select(a =>
                $"the shard '{FileText.Shown(a.Key)}' lacks {a.Count()} tensors that the index places there: {TensorNames.Listed(a)}"))
            .Concat(Twice.GroupBy(t => string.Join("', '", t.Shards.Select(FileText.Shown)), t => t.Tensor).Select(t =>
                $"{t.Count()} tensors stand in several shards, '{t.Key}': {TensorNames.Listed(t)}"));
        var (tensor, shard) = Missing is [var missing, ..] ? (missing.Tensors[0], missing.Shard)
            : Absent is [var absent, ..] ? absent
            : (Twice[0].Tensor, Twice[0].Shards[0]);
        return new SafetensorsIndexException(indexPath, string.Join("; ", parts), tensor, shard);
    }
}
