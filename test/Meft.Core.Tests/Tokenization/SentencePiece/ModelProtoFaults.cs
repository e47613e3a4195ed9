using System.Text;
using Meft.Core.Tokenization.SentencePiece;

namespace Meft.Core.Tests.Tokenization.SentencePiece;

/// <summary>What can be wrong with a SentencePiece file.</summary>
internal static class ModelProtoFaults
{
    private static readonly int[] NoTypes = [3, 4, 6, 7];

    private static readonly ulong[] Huge = [int.MaxValue, uint.MaxValue, 1ul << 32, 1ul << 62, long.MaxValue, 1ul << 63, ulong.MaxValue];

    /// <summary>Faults, each of which makes a file of its own wrong.</summary>
    public static IReadOnlyDictionary<string, Action<MadeModel, Random>> Wrong { get; } = new Dictionary<string, Action<MadeModel, Random>>
    {
        ["a length beyond the file"] = (model, random) => model.Framed(random).Length = length => WireField.Varint((ulong)length + 1_000_000),
        ["a huge length"] = (model, random) => model.Framed(random).Length = _ => WireField.Varint(Of(Huge, random)),
        ["a length beyond its part"] = (model, random) =>
            model.Piece(random).Set(new WireField { Number = 1, Type = 2, Value = "abc"u8.ToArray(), Length = length => WireField.Varint((ulong)(length + random.Next(1, 9))) }),
        ["a length of eleven bytes"] = (model, random) => model.Framed(random).Length = length => WireField.Varint((ulong)length, 11),
        ["a key of eleven bytes"] = (model, random) => Field(model, random, f => f.Key = WireField.Varint(((ulong)f.Number << 3) | (uint)f.Type, 11)),
        ["a number of eleven bytes"] = (model, random) => model.Piece(random).Set(new WireField { Number = 3, Type = 0, Value = WireField.Varint(1, 11) }),
        ["a type that is none"] = (model, random) => Field(model, random, f => f.Key = WireField.Varint(((ulong)f.Number << 3) | (uint)Of(NoTypes, random))),
        ["a field without a number"] = (model, random) => Field(model, random, f => f.Key = WireField.Varint((uint)f.Type)),
        ["a field of a huge number"] = (model, random) => Field(model, random, f => f.Key = WireField.Varint((random.Next(2) == 0 ? 1ul << 32 : 1ul << 61) | (uint)f.Type)),
        ["a part of another type"] = (model, random) => Retype(model.Framed(random), random),
        ["a piece's field of another type"] = (model, random) => Retype(model.Piece(random).First(1 + random.Next(2)), random),
        ["a setting of another type"] = (model, random) => model.Settings(2).Set(Retype(WireField.Of(Of([3, 24, 35, 41, 42], random), 1ul), random)),
        ["a normalizer's field of another type"] = (model, random) => model.Settings(3).Set(Retype(WireField.Of(random.Next(3, 6), 1ul), random)),
        ["a kind out of range"] = (model, random) => model.Piece(random).Set(WireField.Of(3, Of<ulong>([0, 7, 8, 100, .. Huge], random))),
        ["a piece twice"] = (model, random) => model.Fields.Insert(random.Next(model.PieceCount), model.Piece(random).Copy()),
        ["a spelling twice"] = (model, _) => model.Piece(7).Set(model.Piece(8).First(1)),
        ["an empty piece"] = (model, random) => model.Piece(random).Set(WireField.Text(1, [])),
        ["a piece without a spelling"] = (model, random) => model.Piece(random).Parts!.RemoveAll(f => f.Number == 1),
        ["a piece without anything"] = (model, random) => model.Piece(random).Parts!.Clear(),
        ["a piece that is no UTF-8"] = (model, random) => model.Piece(random).Set(WireField.Text(1, Of<byte[]>([[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]], random))),
        ["a piece without end"] = (model, random) => model.Piece(random).Set(WireField.Text(1, Encoding.UTF8.GetBytes(new string('▁', random.Next(1001, 20_000))))),
        ["a score that is none"] = (model, random) => model.Piece(random).Set(WireField.Of(2, Of([float.NaN, float.PositiveInfinity, float.NegativeInfinity], random))),
        ["half a score"] = (model, random) => model.Piece(random).Parts!.Add(new WireField { Number = 2, Type = 5, Value = new byte[random.Next(4)] }),
        ["nothing for what is unknown"] = (model, _) =>
        {
            model.Settings(2).Set(WireField.Of(3, 1ul));
            foreach (var piece in model.Pieces) piece.Set(WireField.Of(3, 1ul));
        },
        ["another model"] = (model, random) => model.Settings(2).Set(WireField.Of(3, Of<ulong>([0, 3, 4, 5, .. Huge], random))),
        ["a map of characters"] = (model, random) => model.Settings(3).Set(WireField.Text(2, Of<byte[]>([[0], [0xFF, 0xFF, 0xFF, 0xFF], [8, 0, 0, 0, 1, 2], new byte[5000]], random))),
        ["spaces as they are"] = (model, _) => model.Settings(3).Set(WireField.Of(5, 0ul)),
        ["no pieces"] = (model, _) => model.Fields.RemoveAll(f => f.Number == 1),
        ["cut within a piece"] = (model, random) => model.Whole = whole => whole[..random.Next(1, model.Fields[0].Compose().Length)],
    };

    /// <summary>Oddities that mean nothing, or something else: each is read.</summary>
    public static IReadOnlyDictionary<string, Action<MadeModel, Random>> Odd { get; } = new Dictionary<string, Action<MadeModel, Random>>
    {
        ["a length of ten bytes"] = (model, random) => model.Framed(random).Length = length => WireField.Varint((ulong)length, 10),
        ["a key of ten bytes"] = (model, random) => Field(model, random, f => f.Key = WireField.Varint(((ulong)f.Number << 3) | (uint)f.Type, f == model.Fields[0] ? 1 : 10)),
        ["a number of ten bytes"] = (model, random) => model.Piece(random.Next(3, 10)).Set(new WireField { Number = 3, Type = 0, Value = WireField.Varint(1, 10) }),
        ["an unknown part"] = (model, random) => model.Fields.Insert(random.Next(1, model.Fields.Count), Unknown(random, random.Next(4, 100))),
        ["an unknown field"] = (model, random) => Of([.. model.Fields.Where(f => f.Parts is not null)], random).Parts!.Insert(0, Unknown(random, 100)),
        ["nothing for what is unknown, in BPE"] = (model, _) =>
        {
            model.Settings(2).Set(WireField.Of(3, 2ul));
            foreach (var piece in model.Pieces.Where(p => p.Parts!.Exists(f => f is { Number: 3, Value: [2] }))) piece.Set(WireField.Of(3, 1ul));
        },
        ["a large score"] = (model, random) => model.Piece(random).Set(WireField.Of(2, Of([float.MaxValue, float.MinValue, float.Epsilon, -0f, 1e30f], random))),
        ["large scores for all"] = (model, random) =>
        {
            foreach (var piece in model.Pieces) piece.Set(WireField.Of(2, Of([float.MaxValue, float.MinValue], random)));
        },
        ["a score and a spelling twice"] = (model, random) => model.Piece(random).Parts!.AddRange([WireField.Of(2, -1f), WireField.Text(1, "again"u8.ToArray())]),
        ["no trainer"] = (model, _) => model.Fields.RemoveAll(f => f.Number == 2),
        ["no normalizer"] = (model, _) => model.Fields.RemoveAll(f => f.Number == 3),
        ["settings first"] = (model, _) => model.Fields.Reverse(1, model.Fields.Count - 1),
        ["settings twice"] = (model, random) => model.Fields.Add(model.Settings(random.Next(2, 4)).Copy()),
        ["an empty map of characters"] = (model, _) => model.Settings(3).Set(WireField.Text(2, [])),
        ["the other model"] = (model, _) => model.Settings(2).Set(WireField.Of(3, model.Settings(2).First(3).Value is [1] ? 2ul : 1)),
        ["ids that are none"] = (model, random) => model.Settings(2).Set(WireField.Of(random.Next(41, 43), Of<ulong>([0, 99_999, .. Huge], random))),
        ["bytes that are none"] = (model, random) =>
        {
            model.Settings(2).Set(WireField.Of(35, 1ul));
            var name = Of(["<0xGG>", "<0x1>", "<0x100>", "<0xff>", "<0x41", "0x41", "<0x>", "<0x 1>", "<0x-1>", "<0x0A>▁"], random);
            model.Piece(random.Next(3, 10)).Set(WireField.Text(1, Encoding.UTF8.GetBytes(name))).Set(WireField.Of(3, 6ul));
        },
        ["half of the bytes"] = (model, random) =>
        {
            model.Settings(2).Set(WireField.Of(35, 1ul));
            model.Fields.RemoveAll(f => f.Parts is not null && f.Parts.Exists(part => part is { Number: 3, Value: [6] }));
            foreach (var value in Enumerable.Range(0, 256).Where(_ => random.Next(2) == 0)) model.Add($"<0x{value:X2}>", PieceKind.Byte);
        },
        ["a strange spelling"] = (model, random) =>
            model.Add(Of([" ", "▁▁▁", "\0", "\n", "\u200B\u0301", "\uFEFF", "\U0001F600", "hello  w", "</s>▁", new string('l', 1000)], random), Of([PieceKind.Normal, PieceKind.Control, PieceKind.UserDefined, PieceKind.Byte], random)),
    };

    /// <summary>Changes that leave a file right or wrong as they fall.</summary>
    public static IReadOnlyDictionary<string, Action<MadeModel, Random>> Either { get; } = new Dictionary<string, Action<MadeModel, Random>>
    {
        ["a shorter length"] = (model, random) => model.Framed(random).Length = length => WireField.Varint((ulong)Math.Max(0, length - random.Next(1, 12))),
        ["a longer length"] = (model, random) => model.Framed(random).Length = length => WireField.Varint((ulong)length + (ulong)random.Next(1, 40)),
        ["another kind"] = (model, random) => model.Piece(random).Set(WireField.Of(3, (ulong)random.Next(1, 7))),
        ["one kind for all"] = (model, random) =>
        {
            var kind = (ulong)random.Next(1, 7);
            foreach (var piece in model.Pieces) piece.Set(WireField.Of(3, kind));
        },
        ["cut short"] = (model, random) => model.Whole = whole => whole[..random.Next(whole.Length)],
        ["bytes behind the end"] = (model, random) => model.Whole = whole => [.. whole, .. Enumerable.Range(0, random.Next(1, 20)).Select(_ => (byte)random.Next(256))],
    };

    private static void Field(MadeModel model, Random random, Action<WireField> change)
    {
        var field = Of(model.Fields, random);
        change(random.Next(2) == 0 && field.Parts is { Count: > 0 } parts ? Of(parts, random) : field);
    }

    /// <summary>Another type, with a value that is right for it.</summary>
    private static WireField Retype(WireField field, Random random)
    {
        var type = Of([.. new[] { 0, 1, 2, 5 }.Where(t => t != field.Type)], random);
        (field.Type, field.Parts, field.Value) = (type, null, new byte[type switch { 0 => 1, 1 => 8, 2 => random.Next(4), _ => 4 }]);
        return field;
    }

    private static WireField Unknown(Random random, int number) => random.Next(4) switch
    {
        0 => WireField.Text(number, new byte[random.Next(40)]),
        1 => WireField.Of(number, Of(Huge, random)),
        2 => WireField.Of(number, float.NaN),
        _ => new WireField { Number = 536_870_911, Type = 1, Value = new byte[8] },
    };

    private static T Of<T>(IReadOnlyList<T> values, Random random) => values[random.Next(values.Count)];
}
