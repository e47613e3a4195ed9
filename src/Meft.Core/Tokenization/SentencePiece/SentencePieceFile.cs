namespace Meft.Core.Tokenization.SentencePiece;

/// <summary>
/// Reads a <c>tokenizer.model</c> of SentencePiece: the message ModelProto of its sentencepiece_model.proto. Fields that only training used
/// are passed over; what would make other tokens and is not supported is refused.
/// </summary>
internal static class SentencePieceFile
{
    /// <summary>The key of the first field: pieces are written first.</summary>
    public const byte FirstByte = (1 << 3) | (int)WireType.Length;

    private const ulong Unigram = 1, BytePairEncoding = 2;

    private static readonly string[] ModelTypes = ["", "unigram", "BPE", "word", "char"];

    /// <summary>Reads a file.</summary>
    /// <param name="file">Its path, for errors.</param>
    /// <param name="bytes">All of it.</param>
    /// <exception cref="TokenizerFileException">The file is damaged or asks for what is not supported.</exception>
    public static SentencePieces Read(string file, byte[] bytes)
    {
        var reader = new ProtobufReader(file, bytes, 0, bytes.Length);
        var pieces = new List<ScoredPiece>();
        var trainer = new TrainerSpec();
        var normalizer = new NormalizerSpec();
        while (reader.TryReadField(out var number, out var type))
        {
            if (number is < 1 or > 3)
            {
                reader.Skip(type);
                continue;
            }
            reader.Require(type, WireType.Length, "a part of the model");
            var part = reader.ReadMessage();
            if (number == 1) pieces.Add(ReadPiece(part, pieces.Count));
            else if (number == 2) trainer = ReadTrainer(part, trainer);
            else normalizer = ReadNormalizer(part, normalizer);
        }
        if (pieces.Count == 0) throw new TokenizerFileException(file, "the model has no pieces");
        Refuse(file, trainer, normalizer);
        return new SentencePieces
        {
            File = file,
            Pieces = pieces,
            IsBytePairEncoding = trainer.Model == BytePairEncoding,
            FallsBackToBytes = trainer.FallsBackToBytes,
            AddsDummyPrefix = normalizer.AddsDummyPrefix,
            RemovesExtraSpaces = normalizer.RemovesExtraSpaces,
            BeginToken = IdOf(trainer.BeginId),
            EndToken = IdOf(trainer.EndId),
        };

        int? IdOf(int id) => id >= 0 && id < pieces.Count ? id : null;
    }

    private sealed record TrainerSpec(
        ulong Model = Unigram, bool SpaceIsSuffix = false, bool FallsBackToBytes = false, int BeginId = 1, int EndId = 2);

    private sealed record NormalizerSpec(
        string Name = "", int CharacterMapBytes = 0, bool AddsDummyPrefix = true, bool RemovesExtraSpaces = true, bool EscapesSpaces = true);

    private static ScoredPiece ReadPiece(ProtobufReader reader, int id)
    {
        var (text, score, kind, at) = ("", 0f, PieceKind.Normal, reader.Offset);
        while (reader.TryReadField(out var number, out var type))
        {
            switch (number)
            {
                case 1:
                    reader.Require(type, WireType.Length, "a piece's text");
                    text = reader.ReadText();
                    break;
                case 2:
                    reader.Require(type, WireType.Fixed32, "a piece's score");
                    score = reader.ReadSingle();
                    break;
                case 3:
                    reader.Require(type, WireType.Varint, "a piece's type");
                    var value = reader.ReadVarint();
                    if (value is < 1 or > 6) throw reader.Failure($"piece {id} is of type {value}; known are 1 to 6", at);
                    kind = (PieceKind)value;
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
        if (text.Length == 0) throw reader.Failure($"piece {id} is empty", at);
        return float.IsFinite(score) ? new ScoredPiece(text, score, kind) : throw reader.Failure($"the score of piece {id} is {score}", at);
    }

    private static TrainerSpec ReadTrainer(ProtobufReader reader, TrainerSpec spec)
    {
        while (reader.TryReadField(out var number, out var type))
        {
            if (number is not (3 or 24 or 35 or 41 or 42))
            {
                reader.Skip(type);
                continue;
            }
            reader.Require(type, WireType.Varint, "a setting of the trainer");
            var value = reader.ReadVarint();
            spec = number switch
            {
                3 => spec with { Model = value },
                24 => spec with { SpaceIsSuffix = value != 0 },
                35 => spec with { FallsBackToBytes = value != 0 },
                41 => spec with { BeginId = (int)(long)value },
                _ => spec with { EndId = (int)(long)value },
            };
        }
        return spec;
    }

    private static NormalizerSpec ReadNormalizer(ProtobufReader reader, NormalizerSpec spec)
    {
        while (reader.TryReadField(out var number, out var type))
        {
            if (number is < 1 or > 5)
            {
                reader.Skip(type);
                continue;
            }
            reader.Require(type, number < 3 ? WireType.Length : WireType.Varint, "a setting of the normalizer");
            spec = number switch
            {
                1 => spec with { Name = reader.ReadText() },
                2 => spec with { CharacterMapBytes = reader.SkipBytes() },
                3 => spec with { AddsDummyPrefix = reader.ReadVarint() != 0 },
                4 => spec with { RemovesExtraSpaces = reader.ReadVarint() != 0 },
                _ => spec with { EscapesSpaces = reader.ReadVarint() != 0 },
            };
        }
        return spec;
    }

    private static void Refuse(string file, TrainerSpec trainer, NormalizerSpec normalizer)
    {
        if (trainer.Model is not (Unigram or BytePairEncoding))
        {
            var name = trainer.Model < (ulong)ModelTypes.Length ? ModelTypes[trainer.Model] : $"{trainer.Model}";
            throw new TokenizerFileException(file, $"the model's type is {name}, which is not supported", "unigram, BPE");
        }
        if (normalizer.CharacterMapBytes > 0)
        {
            throw new TokenizerFileException(
                file, $"characters are mapped by a table ('{normalizer.Name}', {normalizer.CharacterMapBytes} bytes), which is not supported",
                "a model without one ('identity'), or its tokenizer.json");
        }
        if (!normalizer.EscapesSpaces) throw new TokenizerFileException(file, "spaces are not written as ▁, which is not supported");
        if (trainer.SpaceIsSuffix) throw new TokenizerFileException(file, "spaces stand at the ends of words (treat_whitespace_as_suffix), which is not supported");
    }
}
