namespace Meft.Core.Formats.Safetensors;

/// <summary>The tensors of a model in several safetensors files, of which an index says what lies where.</summary>
public sealed class ShardedSafetensors : ITensorSource
{
    /// <summary>The name of a model's file where there is one.</summary>
    public const string SingleFileName = "model.safetensors";

    /// <summary>The name of the index where there are several.</summary>
    public const string IndexFileName = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> _shards;
    private readonly Dictionary<string, SafetensorsFile> _shardOf;

    private ShardedSafetensors(
        string path, List<SafetensorsFile> shards, Dictionary<string, SafetensorsFile> shardOf, OrderedDictionary<string, TensorEntry> tensors)
    {
        Path = path;
        _shards = shards;
        _shardOf = shardOf;
        Tensors = tensors;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The files, in the order of their names.</summary>
    public IReadOnlyList<SafetensorsFile> Shards => _shards;

    /// <summary>
    /// The tensors of all shards, those that the index does not name too, shard by shard; an offset counts from the beginning of the tensor's own shard.
    /// </summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <summary>The shards.</summary>
    public IReadOnlyList<string> Files => [.. _shards.Select(shard => shard.Path)];

    /// <summary>Opens a model folder: <c>model.safetensors</c>, else the shards of <c>model.safetensors.index.json</c>.</summary>
    /// <exception cref="SafetensorsException">A file is missing, cannot be read or is malformed.</exception>
    /// <exception cref="SafetensorsIndexException">The index is malformed, or a shard does not hold what it says.</exception>
    public static ITensorSource OpenFolder(string folder)
    {
        var single = System.IO.Path.Combine(folder, SingleFileName);
        if (File.Exists(single)) return SafetensorsFile.Open(single);
        if (File.Exists(System.IO.Path.Combine(folder, IndexFileName))) return OpenShards(folder);
        throw new SafetensorsException(
            folder, SafetensorsError.IoError, "the folder holds no weights",
            allowed: $"{SingleFileName}, or {IndexFileName} with its shards");
    }

    /// <inheritdoc/>
    public void CopyTo(string name, nint destination, long byteLength) => Shard(name).CopyTo(name, destination, byteLength);

    /// <inheritdoc/>
    public void CopyRows(string name, long firstRow, long rowCount, TensorDType type, nint destination) =>
        Shard(name).CopyRows(name, firstRow, rowCount, type, destination);

    /// <inheritdoc/>
    public float[] ReadSingles(string name) => Shard(name).ReadSingles(name);

    /// <inheritdoc/>
    public void Dispose() => _shards.ForEach(shard => shard.Dispose());

    private SafetensorsFile Shard(string name) =>
        _shardOf.TryGetValue(name, out var shard) ? shard : throw new TensorNotFoundException(name, Path, Tensors.Keys);

    private static ShardedSafetensors OpenShards(string folder)
    {
        var index = SafetensorsIndex.Read(System.IO.Path.Combine(folder, IndexFileName));
        var names = index.ShardOf.Values.Distinct().Order(StringComparer.Ordinal).ToList();
        var shards = new List<SafetensorsFile>();
        try
        {
            foreach (var path in names.Select(name => System.IO.Path.Combine(folder, name)).Where(File.Exists)) shards.Add(SafetensorsFile.Open(path));
            var problems = ShardProblems.Of(index, shards);
            if (problems.Count > 0) throw problems.ToException(index.Path);
            var shardOf = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
            var tensors = new OrderedDictionary<string, TensorEntry>(StringComparer.Ordinal);
            foreach (var shard in shards)
            {
                foreach (var (name, entry) in shard.Tensors)
                {
                    shardOf.Add(name, shard);
                    tensors.Add(name, entry);
                }
            }
            return new ShardedSafetensors(folder, shards, shardOf, tensors);
        }
        catch
        {
            foreach (var shard in shards) shard.Dispose();
            throw;
        }
    }
}
