using Meft.Core.Formats.Safetensors;

namespace Meft.Training.Runs.Checkpoints;

/// <summary>Writes a checkpoint's tensors, block by block, and takes their checksums on the way.</summary>
internal static class StateFileWriter
{
    /// <summary>Writes the file.</summary>
    /// <exception cref="Core.Errors.RunFailedException">It cannot be written.</exception>
    public static StateFile Write(ICheckpointDisk disk, string path, IReadOnlyList<StateTensor> tensors)
    {
        var sum = new FileChecksum();
        string? header = null;
        var sums = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var writer = new SafetensorsWriter();
        foreach (var tensor in tensors)
        {
            writer.Add(tensor.Name, tensor.DType, tensor.Shape, data =>
            {
                header ??= sum.Take(); // what was written before the first tensor's data
                tensor.Write(data);
                sums[tensor.Name] = sum.Take();
            });
        }
        long length = 0;
        writer.Prepare((bytes, write) =>
        {
            length = bytes;
            disk.Write(path, bytes, file =>
            {
                using var summed = new ChecksumStream(file, sum);
                write(summed);
            });
        });
        return new StateFile(length, header ?? sum.Take(), sums);
    }
}
