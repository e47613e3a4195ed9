using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Adapters;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Loading;

namespace Meft.Training.Runs;

/// <summary>Makes what a config's <c>method</c> names, with its start values.</summary>
internal static class MethodFactory
{
    /// <exception cref="Core.Errors.InvalidInputException">The sizes or the adapter to start from do not fit the model.</exception>
    public static ITrainedMethod Create(RunConfig config, LoadedModel model, AdapterIdentity identity, ExecutionKind execution)
    {
        if (config.Method.Kind == MethodKind.Full) return new FullMethod(model.Decoder);
        if (config.Method.Kind == MethodKind.Lora) return Lora(config, model, identity);
        var spec = SparseAdapterSpec.From(config.Method, model.Config.HiddenSize, model.Config.LayerCount);
        if (config.Method.Kind == MethodKind.Parallel) return Parallel(config, spec, model, identity);

        var adapter = new SparseAdapter(spec);
        try
        {
            if (config.Method.Init is { } init) SparseAdapterFiles.LoadInto(adapter, init, model.Config);
            else adapter.Initialize((ulong)config.Seed);
            return new SparseAdapterMethod(adapter, config.Optimizer.Rows, identity, execution);
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }

    private static LoraMethod Lora(RunConfig config, LoadedModel model, AdapterIdentity identity)
    {
        var settings = LoraSettings.From(config.Method, model.Config);
        var adapter = new LoraAdapter(settings.Resolve(model.Config), model.Decoder.Device);
        try
        {
            if (config.Method.Init is { } init) LoraFiles.LoadInto(adapter, init, model.Config);
            else adapter.Initialize((ulong)config.Seed);
            return new LoraMethod(adapter, PeftLoraConfig.Create(settings, identity.BaseModel), (ulong)config.Seed);
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }

    private static ParallelMethod Parallel(RunConfig config, SparseAdapterSpec spec, LoadedModel model, AdapterIdentity identity)
    {
        var adapter = new DenseParallelAdapter(spec with { Experts = 0, Probe = 0, TopK = 0 }, (ulong)config.Seed, model.Decoder.Device);
        try
        {
            if (config.Method.Init is { } init)
            {
                using var start = new SparseAdapter(adapter.Spec);
                SparseAdapterFiles.LoadInto(start, init, model.Config);
                adapter.CopyFrom(start);
            }
            return new ParallelMethod(adapter, identity);
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }
}
