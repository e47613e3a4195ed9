using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Safetensors;
using Meft.Host;

namespace Meft.Training.Runs.Checkpoints;

/// <summary>
/// Reads a checkpoint's tensors and holds each to its checksum. One that fails has been copied already: after an error the target holds no
/// state of any step.
/// </summary>
internal sealed unsafe class StateFileReader : IDisposable
{
    private const int LengthBytes = sizeof(long);

    /// <summary>Numbers of rows that are read at once: 4 MiB.</summary>
    private const int PieceNumbers = 1 << 20;

    private readonly StateFile _state;
    private readonly SafetensorsFile _file;

    /// <summary>Opens the file.</summary>
    /// <param name="folder">The checkpoint's folder.</param>
    /// <param name="state">What its manifest says of the file.</param>
    /// <exception cref="InvalidInputException">It is missing, cut off or damaged.</exception>
    public StateFileReader(string folder, StateFile state)
    {
        _state = state;
        var path = Path.Combine(folder, StateNames.FileName);
        var bytes = File.Exists(path) ? new FileInfo(path).Length : 0;
        if (bytes != state.Bytes) throw Damaged(path, $"it has {bytes} bytes, its manifest says {state.Bytes}");
        if (state.Header is not null && HeaderChecksum(path, bytes) != state.Header) throw Damaged(path, "the checksum of its header is not that of the manifest");
        _file = SafetensorsFile.Open(path);
    }

    /// <summary>Overwrites a method's numbers, moments too, with those of a full checkpoint.</summary>
    /// <exception cref="InvalidInputException">A tensor is missing, has another shape, or is damaged; or there is one more.</exception>
    public void ReadAll(IReadOnlyList<TrainedMatrix> matrices)
    {
        RequireNoMore(matrices, rows: false);
        foreach (var matrix in matrices) ReadWhole(matrix);
    }

    /// <summary>Overwrites the rows that an incremental checkpoint holds, and whole what it holds whole.</summary>
    /// <exception cref="InvalidInputException">As <see cref="ReadAll"/>; or a row does not exist.</exception>
    public void ReadRows(IReadOnlyList<TrainedMatrix> matrices)
    {
        RequireNoMore(matrices, rows: true);
        foreach (var matrix in matrices)
        {
            if (matrix.Rows.Changed is not { } changed)
            {
                ReadWhole(matrix);
                continue;
            }
            var rows = RowNumbers(matrix);
            ReadChosen(matrix.Name, rows, matrix.Rows.Weights);
            ReadChosen(StateNames.FirstMoments(matrix.Name), rows, matrix.Rows.FirstMoments);
            ReadChosen(StateNames.SecondMoments(matrix.Name), rows, matrix.Rows.SecondMoments);
            changed.Add(rows);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void ReadWhole(TrainedMatrix matrix)
    {
        Read(matrix.Name, matrix.Shape, matrix.Rows.Weights);
        Read(StateNames.FirstMoments(matrix.Name), matrix.Shape, matrix.Rows.FirstMoments);
        Read(StateNames.SecondMoments(matrix.Name), matrix.Shape, matrix.Rows.SecondMoments);
    }

    private void Read(string name, IReadOnlyList<long> shape, HostMatrix matrix)
    {
        HostMatrixFiles.Read(_file, name, shape, matrix);
        RequireChecksum(name, FileChecksum.Of((nint)matrix.Data, matrix.ByteCount));
        GC.KeepAlive(matrix);
    }

    private int[] RowNumbers(TrainedMatrix matrix)
    {
        var name = StateNames.Rows(matrix.Name);
        if (!_file.Tensors.TryGetValue(name, out var entry)) throw Damaged(_file.Path, $"tensor '{name}' is missing");
        if (entry.DType != TensorDType.I32 || entry.Shape.Count != 1)
            throw new InvalidInputException($"tensor '{name}' is {entry.DType} [{string.Join(", ", entry.Shape)}]", _file.Path, "I32 [rows]");
        var rows = new int[entry.Shape[0]];
        fixed (int* numbers = rows)
        {
            _file.CopyTo(name, (nint)numbers, entry.ByteLength);
            RequireChecksum(name, FileChecksum.Of((nint)numbers, entry.ByteLength));
        }
        var before = -1;
        foreach (var row in rows)
        {
            if (row <= before || row >= matrix.Rows.Rows)
            {
                throw new InvalidInputException(
                    $"tensor '{name}' names row {row} after row {before}", _file.Path, $"ascending row numbers below {matrix.Rows.Rows}");
            }
            before = row;
        }
        return rows;
    }

    private void ReadChosen(string name, int[] rows, HostMatrix matrix)
    {
        if (!_file.Tensors.TryGetValue(name, out var entry)) throw Damaged(_file.Path, $"tensor '{name}' is missing");
        if (entry.DType != TensorDType.F32 || !entry.Shape.SequenceEqual([rows.Length, matrix.Dimension]))
        {
            throw new InvalidInputException(
                $"tensor '{name}' is {entry.DType} [{string.Join(", ", entry.Shape)}]", _file.Path, $"F32 [{rows.Length}, {matrix.Dimension}]");
        }
        var checksum = new FileChecksum();
        var atOnce = Math.Max(1, PieceNumbers / matrix.Dimension);
        var piece = new float[Math.Min(atOnce, rows.Length) * matrix.Dimension];
        for (var first = 0; first < rows.Length; first += atOnce)
        {
            var count = Math.Min(atOnce, rows.Length - first);
            fixed (float* numbers = piece) _file.CopyRows(name, first, count, TensorDType.F32, (nint)numbers);
            checksum.Append(MemoryMarshal.AsBytes(piece.AsSpan(0, count * matrix.Dimension)));
            for (var i = 0; i < count; i++)
                piece.AsSpan(i * matrix.Dimension, matrix.Dimension).CopyTo(new Span<float>(matrix.Data + (long)rows[first + i] * matrix.Dimension, matrix.Dimension));
        }
        GC.KeepAlive(matrix);
        RequireChecksum(name, checksum.Take());
    }

    private void RequireChecksum(string tensor, string found)
    {
        if (_state.Header is null) return; // version 1 has no checksums
        if (!_state.Tensors.TryGetValue(tensor, out var wanted)) throw Damaged(_file.Path, $"its manifest has no checksum of tensor '{tensor}'");
        if (found != wanted) throw Damaged(_file.Path, $"tensor '{tensor}' has the checksum {found}, its manifest says {wanted}");
    }

    private void RequireNoMore(IReadOnlyList<TrainedMatrix> matrices, bool rows)
    {
        var known = matrices.SelectMany(m => new[]
        {
            m.Name, StateNames.FirstMoments(m.Name), StateNames.SecondMoments(m.Name),
            rows && m.Rows.Changed is not null ? StateNames.Rows(m.Name) : m.Name,
        });
        var more = _file.Tensors.Keys.Except(known).Order(StringComparer.Ordinal).FirstOrDefault();
        if (more is not null) throw new InvalidInputException($"there is a tensor '{more}', which this run does not train", _file.Path);
    }

    private static string HeaderChecksum(string path, long bytes)
    {
        try
        {
            using var file = File.OpenRead(path);
            Span<byte> length = stackalloc byte[LengthBytes];
            file.ReadExactly(length);
            var header = BinaryPrimitives.ReadInt64LittleEndian(length);
            // A damaged length: whatever it is, the checksum of the eight bytes is another than that of length and header.
            if (header < 0 || header > Math.Min(bytes - LengthBytes, Array.MaxLength - LengthBytes)) return FileChecksum.Of(length);
            var all = new byte[LengthBytes + header];
            length.CopyTo(all);
            file.ReadExactly(all.AsSpan(LengthBytes));
            return FileChecksum.Of(all);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"the checkpoint's state cannot be read: {e.Message}", path, null, null, e);
        }
    }

    private static InvalidInputException Damaged(string path, string how) => new($"the checkpoint's state is damaged: {how}", path);
}
