using System.Buffers.Binary;
using System.Text;

namespace Meft.Native;

/// <summary>
/// Finds the symbol versions that a 64-bit little-endian ELF library requires, and can mark one of them weak, so that the
/// dynamic loader no longer refuses the file where the system's library lacks that version.
/// Layout: ELF gABI (program headers, dynamic section) and the GNU symbol versioning sections (<c>.gnu.version_r</c>).
/// </summary>
internal static class ElfVersionRequirement
{
    private const int ProgramHeaderLoad = 1, ProgramHeaderDynamic = 2;
    private const long TagStringTable = 5, TagVersionNeeded = 0x6ffffffe, TagVersionNeededCount = 0x6fffffff;
    private const ushort FlagWeak = 0x2;

    /// <summary>Sets VER_FLG_WEAK on every entry for <paramref name="version"/>; returns how many were changed.</summary>
    /// <exception cref="InvalidDataException">The bytes are no 64-bit little-endian ELF file or are cut off.</exception>
    public static int MarkWeak(Span<byte> file, string version)
    {
        if (file.Length < 64 || !file[..4].SequenceEqual("\u007fELF"u8) || file[4] != 2 || file[5] != 1)
            throw new InvalidDataException("not a 64-bit little-endian ELF file");
        try
        {
            return MarkWeakChecked(file, Encoding.ASCII.GetBytes(version));
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException("the ELF file is cut off or its headers point outside of it", e);
        }
    }

    private static int MarkWeakChecked(Span<byte> file, ReadOnlySpan<byte> version)
    {
        var segments = Segments(file);
        var (dynamicOffset, dynamicSize) = segments.Where(s => s.Type == ProgramHeaderDynamic)
            .Select(s => (s.Offset, s.Size)).DefaultIfEmpty().First();
        long strings = 0, needs = 0, needCount = 0;
        for (long at = dynamicOffset; at < dynamicOffset + dynamicSize; at += 16)
        {
            long tag = I64(file, at), value = I64(file, at + 8);
            if (tag == TagStringTable) strings = FileOffset(segments, value);
            if (tag == TagVersionNeeded) needs = FileOffset(segments, value);
            if (tag == TagVersionNeededCount) needCount = value;
        }

        var changed = 0;
        // Verneed: version u16, count u16, file u32, first Vernaux u32, next Verneed u32.
        // Vernaux: hash u32, flags u16, other u16, name u32, next Vernaux u32. Distances are in bytes from the entry itself.
        for (long need = needs, i = 0; i < needCount; i++, need += U32(file, need + 12))
        {
            int auxiliaryCount = U16(file, need + 2);
            for (long aux = need + U32(file, need + 8), j = 0; j < auxiliaryCount; j++, aux += U32(file, aux + 12))
            {
                var name = file[checked((int)(strings + U32(file, aux + 8)))..];
                if (!name[..name.IndexOf((byte)0)].SequenceEqual(version)) continue;
                var flags = file.Slice(checked((int)aux) + 4, 2);
                BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | FlagWeak));
                changed++;
            }
        }
        return changed;
    }

    private readonly record struct Segment(uint Type, long Offset, long Address, long Size);

    private static Segment[] Segments(ReadOnlySpan<byte> file)
    {
        long table = I64(file, 32);
        int entrySize = U16(file, 54), count = U16(file, 56);
        var segments = new Segment[count];
        for (var i = 0; i < count; i++)
        {
            long at = table + (long)i * entrySize;
            segments[i] = new Segment(U32(file, at), I64(file, at + 8), I64(file, at + 16), I64(file, at + 32));
        }
        return segments;
    }

    private static long FileOffset(Segment[] segments, long address)
    {
        foreach (var s in segments)
        {
            if (s.Type == ProgramHeaderLoad && address >= s.Address && address < s.Address + s.Size)
                return address - s.Address + s.Offset;
        }
        throw new InvalidDataException($"no segment of the ELF file holds the address 0x{address:x}");
    }

    private static long I64(ReadOnlySpan<byte> file, long at) => BinaryPrimitives.ReadInt64LittleEndian(file.Slice(checked((int)at), 8));

    private static uint U32(ReadOnlySpan<byte> file, long at) => BinaryPrimitives.ReadUInt32LittleEndian(file.Slice(checked((int)at), 4));

    private static ushort U16(ReadOnlySpan<byte> file, long at) => BinaryPrimitives.ReadUInt16LittleEndian(file.Slice(checked((int)at), 2));
}
