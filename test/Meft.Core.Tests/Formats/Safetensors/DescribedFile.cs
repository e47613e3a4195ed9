using System.Buffers.Binary;
using System.Text;
using Meft.Core.Formats;

namespace Meft.Core.Tests.Formats.Safetensors;

/// <summary>A tensor's description as text, so that every part of it can be wrong.</summary>
internal sealed class DescribedTensor
{
    /// <summary>The name, as it stands between its quotation marks.</summary>
    public required string Name { get; set; }

    /// <summary>The value of <c>dtype</c>.</summary>
    public required string DType { get; set; }

    /// <summary>The values in <c>shape</c>.</summary>
    public required List<string> Shape { get; init; }

    /// <summary>The values in <c>data_offsets</c>.</summary>
    public required List<string> Offsets { get; init; }

    /// <summary>Further members, each with a comma before it.</summary>
    public string More { get; set; } = "";

    /// <summary>A member that is left out.</summary>
    public string? Without { get; set; }

    public DescribedTensor Copy() => new() { Name = Name, DType = DType, Shape = [.. Shape], Offsets = [.. Offsets], More = More, Without = Without };

    public override string ToString()
    {
        var members = new[] { ("dtype", DType), ("shape", $"[{string.Join(",", Shape)}]"), ("data_offsets", $"[{string.Join(",", Offsets)}]") };
        return $"\"{Name}\":{{{string.Join(",", members.Where(m => m.Item1 != Without).Select(m => $"\"{m.Item1}\":{m.Item2}"))}{More}}}";
    }
}

/// <summary>A safetensors file as text and numbers, so that every part of it can be wrong.</summary>
internal sealed class DescribedFile
{
    public List<DescribedTensor> Tensors { get; } = [];

    /// <summary>The value of <c>__metadata__</c>; null for none.</summary>
    public string? Metadata { get; set; }

    /// <summary>The bytes of data.</summary>
    public int DataBytes { get; set; }

    /// <summary>What stands behind the header's object.</summary>
    public string Padding { get; set; } = "";

    /// <summary>Changes the header's text.</summary>
    public Func<string, string> Text { get; set; } = text => text;

    /// <summary>Changes what the file says of the header's length.</summary>
    public Func<ulong, ulong> Length { get; set; } = length => length;

    /// <summary>Changes the whole file.</summary>
    public Func<byte[], byte[]> Whole { get; set; } = file => file;

    /// <summary>A valid file of one to five tensors, of any types and of up to three dimensions, one now and then empty.</summary>
    public static DescribedFile Valid(Random random, int least = 1)
    {
        var file = new DescribedFile { Metadata = random.Next(2) == 0 ? "{\"format\":\"pt\"}" : null };
        var types = Enum.GetValues<TensorDType>();
        for (var count = random.Next(least, 6); count > 0; count--)
        {
            var type = types[random.Next(types.Length)];
            var shape = Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(8) == 0 ? 0 : random.Next(1, 5)).ToList();
            // Packed elements of 4 and 6 bits end at a byte.
            if (type.BitSize() % 8 != 0) shape.Add(4);
            var bytes = shape.Aggregate(type.BitSize(), (product, size) => product * size) / 8;
            file.Tensors.Add(new DescribedTensor
            {
                Name = $"tensor.{file.Tensors.Count}",
                DType = $"\"{type.FileName()}\"",
                Shape = [.. shape.Select(size => $"{size}")],
                Offsets = [$"{file.DataBytes}", $"{file.DataBytes + bytes}"],
            });
            file.DataBytes += bytes;
        }
        return file;
    }

    public byte[] Compose()
    {
        var parts = (Metadata is null ? [] : new[] { $"\"__metadata__\":{Metadata}" }).Concat(Tensors.Select(t => t.ToString()));
        var header = Encoding.UTF8.GetBytes(Text($"{{{string.Join(",", parts)}}}") + Padding);
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, Length((ulong)header.Length));
        return Whole([.. length, .. header, .. new byte[DataBytes]]);
    }
}
