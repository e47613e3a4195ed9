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
        string path, List<SafetensorsFile> shards, Dictionary<string, SafetensorsFile> shardOf, Dictionary<string, TensorEntry> tensors)
    {
        Path = path;
        _shards = shards;
        _shardOf = shardOf;
        Tensors = tensors;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The files, in the order in which the index names them.</summary>
    public IReadOnlyList<SafetensorsFile> Shards => _shards;

    /// <summary>The tensors that the index names; an offset counts from the beginning of the tensor's own shard.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

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
    public nint Pointer(string name) => Shard(name).Pointer(name);

    /// <inheritdoc/>
    public void CopyTo(string name, nint destination, long byteLength) => Shard(name).CopyTo(name, destination, byteLength);

    /// <inheritdoc/>
    public float[] ReadSingles(string name) => Shard(name).ReadSingles(name);

    /// <inheritdoc/>
    public void Dispose() => _shards.ForEach(shard => shard.Dispose());

    private SafetensorsFile Shard(string name) =>
        _shardOf.TryGetValue(name, out var shard) ? shard : throw new TensorNotFoundException(name, Path, Tensors.Keys);

    private static ShardedSafetensors OpenShards(string folder)
    {
        var index = SafetensorsIndex.Read(System.IO.Path.Combine(folder, IndexFileName));
        var shards = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        var shardOf = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        var tensors = new Dictionary<string, TensorEntry>(StringComparer.Ordinal);
        try
        {
            foreach (var (tensor, fileName) in index.ShardOf)
            {
                if (!shards.TryGetValue(fileName, out var shard)) shards.Add(fileName, shard = OpenShard(index, folder, fileName, tensor));
                if (!shard.Tensors.TryGetValue(tensor, out var entry))
                {
                    throw new SafetensorsIndexException(
                        index.Path, $"the shard '{SafetensorsException.Shown(fileName)}' holds no tensor '{SafetensorsException.Shown(tensor)}', which the index places there", tensor, fileName);
                }
                shardOf.Add(tensor, shard);
                tensors.Add(tensor, entry);
            }
        }
        catch
        {
            foreach (var shard in shards.Values) shard.Dispose();
            throw;
        }
        return new ShardedSafetensors(folder, [.. shards.Values], shardOf, tensors);
    }

    private static SafetensorsFile OpenShard(SafetensorsIndex index, string folder, string fileName, string tensor)
    {
        var path = System.IO.Path.Combine(folder, fileName);
        if (File.Exists(path)) return SafetensorsFile.Open(path);
        throw new SafetensorsIndexException(
            index.Path, $"the shard '{SafetensorsException.Shown(fileName)}' of tensor '{SafetensorsException.Shown(tensor)}' is missing from the folder", tensor, fileName);
    }
}
