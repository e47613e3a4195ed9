using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Meft.Host;

namespace Meft.Training.Runs;

/// <summary>A place where two states differ.</summary>
/// <param name="Tensor">The tensor's name in files, that of a moment with <c>exp_avg.</c> or <c>exp_avg_sq.</c> before it.</param>
/// <param name="Row">The row, counted from 0.</param>
public sealed record StateDifference(string Tensor, int Row)
{
    /// <summary>As a phrase.</summary>
    public override string ToString() => $"{Tensor}, row {Row}";
}

/// <summary>
/// The bits of everything that a method trains, weights and both moments, in a form that takes eight bytes a row: enough to say whether two states are
/// the same and, if not, where they first differ.
/// </summary>
public sealed class StateDigest
{
    private readonly List<(string Name, ulong[] Rows)> _tensors;

    private StateDigest(string hash, List<(string, ulong[])> tensors) => (Hash, _tensors) = (hash, tensors);

    /// <summary>SHA-256, hexadecimal: of each tensor's name and of the SHA-256 of each of its rows, in order.</summary>
    public string Hash { get; }

    /// <summary>Digests a method's state as it is now.</summary>
    public static StateDigest Of(ITrainedMethod method)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var tensors = new List<(string, ulong[])>();
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        foreach (var matrix in method.Matrices)
        {
            foreach (var (prefix, numbers) in Parts(matrix.Rows))
            {
                var name = prefix + matrix.Name;
                all.AppendData(Encoding.UTF8.GetBytes(name));
                var rows = new ulong[numbers.Rows];
                for (var row = 0; row < rows.Length; row++)
                {
                    SHA256.HashData(MemoryMarshal.AsBytes(numbers.Row(row)), hash);
                    all.AppendData(hash);
                    rows[row] = BinaryPrimitives.ReadUInt64LittleEndian(hash);
                }
                tensors.Add((name, rows));
            }
        }
        return new StateDigest(Convert.ToHexStringLower(all.GetHashAndReset()), tensors);
    }

    /// <summary>The first tensor and row in which another state differs; null where none does.</summary>
    /// <exception cref="ArgumentException">The other state is that of another method or of other sizes.</exception>
    public StateDifference? FirstDifference(StateDigest other)
    {
        if (!_tensors.Select(t => (t.Name, t.Rows.Length)).SequenceEqual(other._tensors.Select(t => (t.Name, t.Rows.Length))))
            throw new ArgumentException("the states do not have the same tensors", nameof(other));
        foreach (var ((name, rows), (_, others)) in _tensors.Zip(other._tensors))
        {
            var same = rows.AsSpan().CommonPrefixLength(others);
            if (same < rows.Length) return new StateDifference(name, same);
        }
        return null;
    }

    private static (string Prefix, HostMatrix Numbers)[] Parts(ParameterRows rows) =>
        [("", rows.Weights), ("exp_avg.", rows.FirstMoments), ("exp_avg_sq.", rows.SecondMoments)];
}
