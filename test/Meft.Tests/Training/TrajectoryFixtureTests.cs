using System.Text.Json;
using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Formats.Safetensors;
using Meft.Host;
using Meft.Memory;
using Meft.Models;
using Meft.TestSupport;
using Meft.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Training;

/// <summary>Whole training runs, replayed in float32 against float64: losses, norms, touched rows, final weights and moments.</summary>
[Trait("Category", "Fixtures")]
public class TrajectoryFixtureTests
{
    public static TheoryData<string> Cases => Assets.Files("fixtures/trajectory", "*.json");

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_sparse_adapter_replays(string name)
    {
        var folder = Assets.Require("fixtures", "trajectory");
        using var run = new Replay(folder, name);
        using var adapter = new SparseAdapter(run.Spec);
        foreach (var matrix in SparseAdapterFiles.Matrices(adapter)) matrix.Rows.Weights.CopyFrom(run.Read("start." + matrix.Name));
        var rows = run.Sparse ? OptimizerRows.Touched : OptimizerRows.All;
        run.Play(new SparseAdapterMethod(adapter, rows, new AdapterIdentity("tiny", "", null)), adapter);
    }

    /// <summary>The runs in which every neuron takes part and moves.</summary>
    public static TheoryData<string> DenseCases => Assets.Enumerate("fixtures/trajectory", folder =>
        Directory.EnumerateFiles(folder, "*.json").Where(file =>
        {
            using var options = JsonDocument.Parse(File.ReadAllText(file));
            return options.RootElement.GetProperty("experts").GetInt32() == 0 && options.RootElement.GetProperty("top_k").GetInt32() == 0
                && options.RootElement.GetProperty("update").GetString() == "dense";
        }).Select(file => Path.GetFileNameWithoutExtension(file)!));

    [Theory]
    [MemberData(nameof(DenseCases))]
    public void The_dense_parallel_adapter_replays(string name)
    {
        var folder = Assets.Require("fixtures", "trajectory");
        using var run = new Replay(folder, name);
        using var adapter = new DenseParallelAdapter(run.Spec, seed: 0, CPU);
        using (no_grad())
        {
            foreach (var (parameter, tensor) in adapter.Parameters) tensor.copy_(run.Read("start." + parameter));
        }
        run.Play(new ParallelMethod(adapter, new AdapterIdentity("tiny", "", null)), null);
    }

    private sealed class Replay : IDisposable
    {
        private readonly JsonDocument _options;
        private readonly SafetensorsFile _file;
        private readonly Decoder _decoder;
        private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

        public Replay(string folder, string name)
        {
            _options = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, name + ".json")));
            _file = SafetensorsFile.Open(Path.Combine(folder, name + ".safetensors"));
            _decoder = Decoder.Load(Assets.Require("models", "tiny", _options.RootElement.GetProperty("model").GetString()!), CPU, ScalarType.Float32);
            var gate = Text("gate") == "softmax" ? GateKind.Softmax : GateKind.Linear;
            Spec = new SparseAdapterSpec(
                Size("rank"), _decoder.Config.HiddenSize, Size("experts"), Size("probe"), Size("top_k"), gate,
                [.. Enumerable.Range(0, _decoder.Config.LayerCount)]);
        }

        public SparseAdapterSpec Spec { get; }

        public bool Sparse => Text("update") == "sparse";

        public Tensor Read(string name) => Tensors.Read(_file, name);

        public void Play(ITrainedMethod method, SparseAdapter? sparse)
        {
            var betas = Numbers("betas");
            var optimizer = new OptimizerConfig
            {
                Betas = (betas[0], betas[1]),
                Eps = Number("eps"),
                WeightDecay = Number("weight_decay"),
                MaxGradNorm = Number("max_grad_norm"),
            };
            var touched = sparse is null ? null : new TouchedRowCounter(method, sparse);
            var runner = new StepRunner(_decoder, touched ?? method, optimizer, new MemoryLedger());
            var micro = Size("micro_batches");
            var batches = Batches();
            double[] rates = Numbers("learning_rates"), losses = Numbers("losses"), norms = Numbers("grad_norms");
            for (var step = 0; step < Size("steps"); step++)
            {
                var stepBatches = Enumerable.Range(0, micro).Select(m => batches[(step * micro + m) % batches.Count]).ToList();
                var result = runner.Run(stepBatches, rates[step], step + 1);
                (Math.Abs(result.Loss - losses[step]) / losses[step]).ShouldBeLessThan(3e-6, $"loss of step {step}");
                (Math.Abs(result.GradientNorm - norms[step]) / norms[step]).ShouldBeLessThan(1e-5, $"gradient norm of step {step}");
                if (touched is null) continue;
                var expected = _options.RootElement.GetProperty("active_rows")[step].EnumerateArray().Select(n => n.GetInt32());
                touched.Counts.ShouldBe(expected, $"touched rows of step {step}");
            }
            foreach (var matrix in method.Matrices)
            {
                Near(matrix.Rows.Weights, "end." + matrix.Name);
                Near(matrix.Rows.FirstMoments, "end.exp_avg." + matrix.Name);
                Near(matrix.Rows.SecondMoments, "end.exp_avg_sq." + matrix.Name);
            }
        }

        public void Dispose()
        {
            _file.Dispose();
            _options.Dispose();
            _decoder.Dispose();
            _scope.Dispose();
        }

        private void Near(HostMatrix actual, string name) =>
            TorchTest.RelativeError(HostMatrixTensors.ToTensor(actual), Read(name)).ShouldBeLessThan(5e-5, name);

        /// <summary>The file's micro-batches in order; padded positions are dropped by the mask.</summary>
        private List<IReadOnlyList<TokenRow>> Batches()
        {
            Tensor ids = Read("input_ids"), labels = Read("labels");
            var mask = _file.Tensors.ContainsKey("attention_mask") ? Read("attention_mask") : ones_like(ids);
            var batches = new List<IReadOnlyList<TokenRow>>();
            for (var m = 0L; m < ids.shape[0]; m++)
            {
                var rows = new List<TokenRow>();
                for (var b = 0L; b < ids.shape[1]; b++)
                {
                    var real = mask[m, b].to(ScalarType.Int64).data<long>().Select((v, i) => (v, i)).Where(p => p.v != 0).Select(p => p.i).ToArray();
                    int[] Real(Tensor values)
                    {
                        var all = values[m, b].to(ScalarType.Int64).data<long>().ToArray();
                        return [.. real.Select(i => (int)all[i])];
                    }
                    rows.Add(new TokenRow(Real(ids), Real(labels), new RowOrigin("fixture", (int)b)));
                }
                batches.Add(rows);
            }
            return batches;
        }

        private int Size(string key) => _options.RootElement.GetProperty(key).GetInt32();

        private string Text(string key) => _options.RootElement.GetProperty(key).GetString()!;

        private double Number(string key) => _options.RootElement.GetProperty(key).GetDouble();

        private double[] Numbers(string key) => [.. _options.RootElement.GetProperty(key).EnumerateArray().Select(n => n.GetDouble())];
    }
}
