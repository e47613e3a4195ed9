using System.Text.Json;
using Meft.Generation;
using Meft.Models;
using Meft.Tests.Models;
using Meft.TestSupport;
using Shouldly;
using TorchSharp;

namespace Meft.Tests.Generation;

/// <summary>Generations of every tiny model, of every family and of stories260K against what transformers gave, token for token.</summary>
[Trait("Category", "Fixtures")]
public class GenerationGoldenTests
{
    /// <summary>"group/model/index" for every entry of a golden file's generations.</summary>
    public static TheoryData<string> Entries => Assets.Enumerate("models", path => new[] { "tiny", "families" }
        .SelectMany(group => Assets.FoldersBelow(path, group))
        .SelectMany(folder => Enumerable.Range(0, Golden(folder).GetProperty("generation").GetArrayLength())
            .Select(i => $"{Path.GetRelativePath(path, folder)}/{i}")));

    [Theory]
    [MemberData(nameof(Entries))]
    public void A_single_prompt(string entry)
    {
        var folder = TinyModel.Folder(Path.GetDirectoryName(entry)!);
        var golden = Golden(folder).GetProperty("generation")[int.Parse(Path.GetFileName(entry))];
        using var decoder = Decoder.Load(folder, torch.CPU, torch.float32);
        var rows = new TextGenerator(decoder).Generate([Ids(golden.GetProperty("prompt"))], Options(golden.GetProperty("options")), cancellation: TestContext.Current.CancellationToken);
        rows.ShouldHaveSingleItem().Tokens.ShouldBe(Ids(golden.GetProperty("new_ids")));
    }

    [Theory]
    [MemberData(nameof(TinyModel.Names), MemberType = typeof(TinyModel))]
    public void Prompts_of_different_lengths_at_once(string name)
    {
        var folder = TinyModel.Folder(name);
        var golden = Golden(folder).GetProperty("batched_greedy");
        using var decoder = Decoder.Load(folder, torch.CPU, torch.float32);
        int[][] prompts = [.. golden.GetProperty("prompts").EnumerateArray().Select(Ids)];
        int[][] expected = [.. golden.GetProperty("new_ids").EnumerateArray().Select(Ids)];
        var rows = new TextGenerator(decoder).Generate(prompts, Options(golden.GetProperty("options")), cancellation: TestContext.Current.CancellationToken);
        for (var row = 0; row < rows.Count; row++)
        {
            // The golden rows that ended are filled up with the padding id 0.
            var filled = rows[row].Tokens.Concat(Enumerable.Repeat(0, expected[row].Length - rows[row].Tokens.Count));
            filled.ShouldBe(expected[row]);
        }
    }

    [Fact]
    public void Stories260K_writes_its_200_tokens()
    {
        var folder = Assets.Require("models", "stories260K");
        var golden = Parse(Assets.Require("fixtures", "stories260K_golden.json"));
        using var decoder = Decoder.Load(folder, torch.CPU, torch.float32);
        // The golden text grows from the begin token alone.
        var begin = Ids(golden.GetProperty("prompt_ids"))[0];
        var rows = new TextGenerator(decoder).Generate([[begin]], new() { MaxNewTokens = 200 }, cancellation: TestContext.Current.CancellationToken);
        rows.ShouldHaveSingleItem().Tokens.ShouldBe(Ids(golden.GetProperty("greedy_ids_200")));
    }

    private static JsonElement Golden(string folder) => Parse(Path.Combine(folder, "golden.json"));

    private static JsonElement Parse(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(path));
        return document.RootElement.Clone();
    }

    private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];

    private static GenerationOptions Options(JsonElement options) => new()
    {
        MaxNewTokens = options.GetProperty("max_new_tokens").GetInt32(),
        EndTokens = [options.GetProperty("eos_token_id").GetInt32()],
        RepetitionPenalty = Number(options, "repetition_penalty", 1),
        NoRepeatNgramSize = (int)Number(options, "no_repeat_ngram_size", 0),
        BeamCount = (int)Number(options, "num_beams", 1),
        LengthPenalty = Number(options, "length_penalty", 1),
        EarlyStopping = options.TryGetProperty("early_stopping", out var early) && early.GetBoolean()
            ? EarlyStopping.WhenEnough : EarlyStopping.Heuristic,
    };

    private static double Number(JsonElement options, string key, double absent) =>
        options.TryGetProperty(key, out var value) ? value.GetDouble() : absent;
}
