using System.Text.Json.Nodes;
using Meft.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Host;
using Meft.Memory;
using Meft.Tests.Models;
using Meft.TestSupport;
using Meft.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters.Lora;

/// <summary>Adapters that PEFT saved, against what PEFT computed with them in float64.</summary>
[Trait("Category", "Fixtures")]
public class PeftFixtureTests
{
    /// <summary>Of logits of size about 1 to 4, computed in float32.</summary>
    private const double LogitTolerance = 1e-4;

    [Theory]
    [MemberData(nameof(PeftFixture.Names), MemberType = typeof(PeftFixture))]
    public void An_adapter_gives_its_logits(string name)
    {
        using var fixture = new PeftFixture(name);
        using var adapter = fixture.LoadAdapter();
        var logits = fixture.Logits(fixture.Decoder, adapter);
        TinyModel.Difference(logits, fixture.Golden("logits").flatten(0, 1)).ShouldBeLessThan(LogitTolerance);
        // The fixture says something: without the adapter it is another model.
        TinyModel.Difference(logits, fixture.Logits(fixture.Decoder, null)).ShouldBeGreaterThan(100 * LogitTolerance);
    }

    [Theory]
    [MemberData(nameof(PeftFixture.Names), MemberType = typeof(PeftFixture))]
    public void Training_replays_its_losses_and_final_weights_and_merges_to_its_logits(string name)
    {
        using var fixture = new PeftFixture(name);
        var adapter = fixture.LoadAdapter();
        using var method = new LoraMethod(adapter, fixture.Config, seed: 0);
        var runner = new StepRunner(fixture.Decoder, method, Optimizer(fixture), new MemoryLedger());
        var batches = Batches(fixture.Golden("train_ids"));
        foreach (var (step, expected) in fixture.Losses.Index())
        {
            var result = runner.Run([batches[step % batches.Count]], fixture.Option("lr"), step + 1);
            (Math.Abs(result.Loss - expected) / expected).ShouldBeLessThan(3e-6, $"loss of step {step}");
        }

        method.Matrices.Select(m => "end." + m.Name).ShouldBe(
            fixture.GoldenNames.Where(n => n.StartsWith("end.", StringComparison.Ordinal)), ignoreOrder: true);
        foreach (var matrix in method.Matrices)
        {
            var actual = HostMatrixTensors.ToTensor(matrix.Rows.Weights);
            TorchTest.RelativeError(actual, fixture.Golden("end." + matrix.Name)).ShouldBeLessThan(5e-5, matrix.Name);
        }

        var expectedLogits = fixture.Golden("logits_trained_merged").flatten(0, 1);
        TinyModel.Difference(fixture.Logits(fixture.Decoder, adapter), expectedLogits).ShouldBeLessThan(3 * LogitTolerance);
        LoraMerge.Into(fixture.Decoder, adapter);
        TinyModel.Difference(fixture.Logits(fixture.Decoder, null), expectedLogits).ShouldBeLessThan(3 * LogitTolerance);
    }

    [Theory]
    [MemberData(nameof(PeftFixture.Names), MemberType = typeof(PeftFixture))]
    public void Loaded_and_saved_again_it_is_the_same(string name)
    {
        using var fixture = new PeftFixture(name);
        using var folder = new TemporaryFolder();
        using var adapter = fixture.LoadAdapter();
        LoraFiles.Save(adapter, fixture.Config, folder.Path);
        string Written(string file) => folder.File(file);
        string Original(string file) => Path.Combine(fixture.Folder, file);
        File.ReadAllBytes(Written("adapter_model.safetensors")).ShouldBe(File.ReadAllBytes(Original("adapter_model.safetensors")));
        File.ReadAllText(Written("adapter_config.json")).ShouldBe(File.ReadAllText(Original("adapter_config.json")));
    }

    [Theory]
    [MemberData(nameof(PeftFixture.Names), MemberType = typeof(PeftFixture))]
    public void A_config_written_anew_has_the_keys_and_values_that_PEFT_writes(string name)
    {
        using var fixture = new PeftFixture(name);
        var original = JsonNode.Parse(File.ReadAllText(Path.Combine(fixture.Folder, "adapter_config.json")))!.AsObject();
        var written = PeftLoraConfig.Create(fixture.Config.Settings, fixture.Config.BaseModel!).ToJson();
        JsonNode.Parse(written)!.ToJsonString().ShouldBe(original.ToJsonString());
    }

    [Theory]
    [MemberData(nameof(PeftFixture.Names), MemberType = typeof(PeftFixture))]
    public void What_a_run_saves_is_laid_out_as_PEFT_lays_it_out(string name)
    {
        using var fixture = new PeftFixture(name);
        using var folder = new TemporaryFolder();
        using var method = new LoraMethod(fixture.LoadAdapter(), fixture.Config, seed: 0);
        method.SaveResult(folder.Path);
        File.ReadAllBytes(folder.File("adapter_model.safetensors")).ShouldBe(File.ReadAllBytes(Path.Combine(fixture.Folder, "adapter_model.safetensors")));
    }

    private static OptimizerConfig Optimizer(PeftFixture fixture) => new()
    {
        Betas = fixture.Betas,
        Eps = fixture.Option("eps"),
        WeightDecay = fixture.Option("weight_decay"),
        MaxGradNorm = fixture.Option("max_grad_norm"),
    };

    private static List<IReadOnlyList<TokenRow>> Batches(Tensor ids) =>
    [
        .. Enumerable.Range(0, (int)ids.shape[0]).Select(batch => Enumerable.Range(0, (int)ids.shape[1]).Select(row =>
        {
            int[] tokens = [.. ids[batch, row].data<long>().ToArray().Select(id => (int)id)];
            return new TokenRow(tokens, tokens, new RowOrigin("fixture", row));
        }).ToList()),
    ];
}
