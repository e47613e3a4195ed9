using System.Runtime.InteropServices;
using Meft.Core.Formats;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Shouldly;

namespace Meft.Core.Tests.Formats.Safetensors;

/// <summary>Files with every fault that the format allows to be made: refused, or opened with every tensor inside the file.</summary>
public sealed class SafetensorsStructureFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_fault_is_refused()
    {
        foreach (var (fault, (read, refused)) in Run(SafetensorsFaults.Wrong))
        {
            refused.ShouldBeGreaterThan(0, fault);
            read.ShouldBe(0, fault);
        }
    }

    [Fact]
    public void Faults_and_oddities_together_are_read_or_refused()
    {
        var all = SafetensorsFaults.Wrong.Concat(SafetensorsFaults.Odd).ToDictionary(StringComparer.Ordinal);
        var results = Run(all);
        foreach (var odd in SafetensorsFaults.Odd.Keys) results[odd].Read.ShouldBeGreaterThan(0, odd);
    }

    private IReadOnlyDictionary<string, (int Read, int Refused)> Run(IReadOnlyDictionary<string, Action<DescribedFile, Random>> faults)
    {
        var path = _folder.File("made.safetensors");
        return StructureFuzz.Run(
            3000, random => DescribedFile.Valid(random), faults, file => Write(path, file.Compose()), () => ReadEverything(path), e => e is SafetensorsException, path,
            bytesPerByte: 60);
    }

    private static long Write(string path, byte[] file)
    {
        File.WriteAllBytes(path, file);
        return file.Length;
    }

    private static void ReadEverything(string path)
    {
        using var file = SafetensorsFile.Open(path);
        // The header, then every byte belongs to one tensor.
        var data = file.Tensors.Values.Sum(t => t.ByteLength);
        (file.ByteLength - data).ShouldBeGreaterThanOrEqualTo(8);
        foreach (var entry in file.Tensors.Values)
        {
            // Plain conditions: what the assertions allocate would be counted with what the reader does.
            var isInside = entry.Offset >= file.ByteLength - data && entry.Offset + entry.ByteLength <= file.ByteLength;
            var isWhole = entry.Shape.All(size => size >= 0) && entry.ElementCount * entry.DType.BitSize() == 8 * entry.ByteLength;
            if (!isInside || !isWhole) throw new InvalidOperationException($"{entry} does not lie in {file.ByteLength} bytes");
            Touch(file, entry);
        }
    }

    /// <summary>Reads every byte, as adapters are read, and where they are numbers as models are.</summary>
    private static unsafe void Touch(SafetensorsFile file, TensorEntry entry)
    {
        var copy = NativeMemory.Alloc((nuint)Math.Max(1, Math.Max(entry.ByteLength, sizeof(float) * entry.ElementCount)));
        try
        {
            file.CopyTo(entry.Name, (nint)copy, entry.ByteLength);
            if (FloatCopy.Knows(entry.DType)) file.CopyRows(entry.Name, 0, entry.RowCount, TensorDType.F32, (nint)copy);
        }
        finally
        {
            NativeMemory.Free(copy);
        }
    }
}
