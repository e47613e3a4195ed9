using System.Text;
using Meft.Core.Tokenization.SentencePiece;

namespace Meft.Core.Tests.Tokenization.SentencePiece;

/// <summary>A SentencePiece file taken apart into its fields, to be put together with other ones.</summary>
internal sealed class MadeModel(byte[] valid)
{
    /// <summary>Pieces (1), the trainer's settings (2) and the normalizer's (3).</summary>
    public List<WireField> Fields { get; } = WireField.Parse(valid, number => number <= 3);

    /// <summary>What is done to the file in the end.</summary>
    public Func<byte[], byte[]> Whole { get; set; } = file => file;

    public IEnumerable<WireField> Pieces => Fields.Where(f => f.Number == 1 && f.Parts is not null);

    public int PieceCount => Pieces.Count();

    /// <summary>Any piece; an empty one that goes nowhere where other faults have left none.</summary>
    public WireField Piece(Random random) => PieceCount is > 0 and var count ? Piece(random.Next(count)) : Settings(1);

    public WireField Piece(int number) => Pieces.ElementAtOrDefault(number) ?? Settings(1);

    /// <summary>Any field with a length: a part of the model or a piece's spelling.</summary>
    public WireField Framed(Random random)
    {
        var field = Fields[random.Next(Fields.Count)];
        return field.Number == 1 && random.Next(2) == 0 && field.Parts?.Find(f => f.Number == 1 && f.Type == 2) is { } spelling ? spelling : field;
    }

    /// <summary>The settings of a number, made where there are none.</summary>
    public WireField Settings(int number)
    {
        if (Fields.Find(f => f.Number == number && f.Parts is not null) is { } found) return found;
        var made = new WireField { Number = number, Type = 2, Parts = [] };
        Fields.Add(made);
        return made;
    }

    public void Add(string spelling, PieceKind kind) => Fields.Insert(
        PieceCount, new WireField { Number = 1, Type = 2, Parts = [WireField.Text(1, Encoding.UTF8.GetBytes(spelling)), WireField.Of(2, -9f), WireField.Of(3, (ulong)kind)] });

    public byte[] Compose() => Whole([.. Fields.SelectMany(f => f.Compose())]);
}
