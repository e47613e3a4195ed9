using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Adapters.Lora;

/// <summary>What PEFT's <c>LoraConfig</c> says of which modules are adapted and how; <see cref="Resolve"/> applies it to a model.</summary>
public sealed record LoraSettings
{
    /// <summary>r, where no pattern gives another.</summary>
    public required int Rank { get; init; }

    /// <summary>The numerator of the scale, where no pattern gives another.</summary>
    public required double Alpha { get; init; }

    /// <summary>Whether the scale is alpha/√r instead of alpha/r.</summary>
    public bool Rslora { get; init; }

    /// <summary>The share of inputs that training drops.</summary>
    public double Dropout { get; init; }

    /// <summary>The modules.</summary>
    public required TargetSelection Targets { get; init; }

    /// <summary>Modules that are left out all the same; null for none.</summary>
    public TargetSelection? Excluded { get; init; }

    /// <summary>The layers (<c>layers_to_transform</c>); null for all.</summary>
    public ValueList<int>? Layers { get; init; }

    /// <summary>Expressions for the part of a module's name that a layer's index follows; empty for any.</summary>
    public ValueList<string> LayersPattern { get; init; } = [];

    /// <summary>r of certain modules.</summary>
    public ValueList<ModulePattern<int>> RankPattern { get; init; } = [];

    /// <summary>Alpha of certain modules.</summary>
    public ValueList<ModulePattern<double>> AlphaPattern { get; init; } = [];

    /// <summary>What a run's method asks for beside a base model.</summary>
    /// <exception cref="InvalidInputException">
    /// The model lacks a layer or a module that is asked for, or a pattern for ranks or alphas means no module that is adapted.
    /// </exception>
    public static LoraSettings From(MethodConfig method, ModelConfig model)
    {
        var layers = method.Layers.Resolve(model.LayerCount);
        var modules = LinearModule.Of(model).ToList();
        var settings = new LoraSettings
        {
            Rank = method.Rank,
            Alpha = method.Alpha,
            Rslora = method.Rslora,
            Dropout = method.Dropout,
            Targets = method.Targets switch
            {
                TargetSelection.AllLinear => new TargetSelection.Named([.. modules.Select(m => m.ShortName).Distinct()]),
                // PEFT takes layers beside a list only: the modules that the expression means are listed.
                TargetSelection.Pattern pattern when layers.Count < model.LayerCount => Listed(pattern, modules, layers),
                TargetSelection.Named named => KnownNames(named, modules),
                var other => other,
            },
            Layers = layers.Count == model.LayerCount || method.Targets is TargetSelection.Pattern ? null : [.. layers],
            RankPattern = method.RankPattern,
            AlphaPattern = method.AlphaPattern,
        };
        var adapted = modules.Where(m => settings.IsTarget(m.FullName)).ToList();
        RequireMeaning("method.rank_pattern", method.RankPattern.Select(p => p.Pattern), adapted);
        RequireMeaning("method.alpha_pattern", method.AlphaPattern.Select(p => p.Pattern), adapted);
        return settings;
    }

    /// <summary>The maps of a model that are adapted.</summary>
    /// <exception cref="InvalidInputException">None is; or what PEFT would adapt cannot be adapted here.</exception>
    public LoraSpec Resolve(ModelConfig model)
    {
        foreach (var other in new[] { "lm_head", "model.embed_tokens" })
        {
            if (IsTarget(other)) throw new InvalidInputException($"the targets {Targets} include {other}", null, "linear maps of the layers", "name or match fewer modules");
        }
        var modules = LinearModule.Of(model).ToList();
        var maps = modules.Where(m => IsTarget(m.FullName)).Select(Map).ToList();
        return maps.Count > 0 ? new LoraSpec(maps, Dropout) : throw NoModule($"the targets {Targets} match no linear map of the model", modules);
    }

    private LoraMapSpec Map(LinearModule module)
    {
        var rank = RankPattern.FirstOrDefault(p => ModuleMatch.Ending(p.Pattern, module.FullName))?.Value ?? Rank;
        var alpha = AlphaPattern.FirstOrDefault(p => ModuleMatch.Ending(p.Pattern, module.FullName))?.Value ?? Alpha;
        return new LoraMapSpec(module, rank, alpha / (Rslora ? Math.Sqrt(rank) : rank));
    }

    /// <summary>As PEFT's <c>check_target_module_exists</c>.</summary>
    private bool IsTarget(string module)
    {
        if (Excluded is { } excluded && IsMeant(excluded, module)) return false;
        if (!IsMeant(Targets, module)) return false;
        if (Layers is null || Targets is TargetSelection.Pattern) return true;
        IReadOnlyList<string> parts = LayersPattern.Count == 0 ? ["[^.]*"] : LayersPattern;
        var layer = parts.Select(part => ModuleMatch.LayerAfter(part, module)).FirstOrDefault(l => l is not null);
        return layer is { } index && Layers.Contains(index);
    }

    private static bool IsMeant(TargetSelection selection, string module) => selection switch
    {
        TargetSelection.Named named => ModuleMatch.IsNamed(module, named.Names),
        TargetSelection.Pattern pattern => ModuleMatch.Whole(pattern.Expression, module),
        _ => module.Contains(".layers.", StringComparison.Ordinal),
    };

    private static TargetSelection.Named Listed(TargetSelection.Pattern pattern, List<LinearModule> modules, IReadOnlyList<int> layers)
    {
        var names = modules.Where(m => layers.Contains(m.Layer) && ModuleMatch.Whole(pattern.Expression, m.FullName)).Select(m => m.FullName).ToList();
        return names.Count > 0
            ? new TargetSelection.Named([.. names])
            : throw NoModule($"method.targets {pattern.Expression} matches no linear map of the layers {string.Join(", ", layers)}", modules);
    }

    /// <summary>A name in a config that means nothing is a mistake, even beside others that mean something.</summary>
    private static TargetSelection.Named KnownNames(TargetSelection.Named named, List<LinearModule> modules)
    {
        var unknown = named.Names.FirstOrDefault(name => !modules.Any(m => ModuleMatch.IsNamed(m.FullName, [name])));
        return unknown is null ? named : throw NoModule($"method.targets{(named.Names is ["q_proj", "v_proj"] ? ", where nothing is said," : "")} names '{unknown}', which is no linear map of the model", modules);
    }

    /// <summary>So is a pattern that gives no adapted module its value. Where none is adapted, the targets are the mistake.</summary>
    private static void RequireMeaning(string key, IEnumerable<string> patterns, List<LinearModule> adapted)
    {
        if (adapted.Count == 0) return;
        var unused = patterns.FirstOrDefault(pattern => !adapted.Any(m => ModuleMatch.Ending(pattern, m.FullName)));
        if (unused is null) return;
        throw new InvalidInputException(
            $"the pattern '{unused}' matches no module that is adapted", key,
            $"expressions for whole names or their ends after a dot; adapted are {string.Join(", ", adapted.Select(m => m.ShortName).Distinct())} "
            + $"of the layers {string.Join(", ", adapted.Select(m => m.Layer).Distinct())}, such as {adapted[0].FullName}",
            "Correct or remove the pattern, or add its modules to method.targets");
    }

    private static InvalidInputException NoModule(string problem, List<LinearModule> modules) => new(
        problem, null,
        $"{string.Join(", ", modules.Select(m => m.ShortName).Distinct())}; or whole names such as {modules[0].FullName}; or all-linear");
}
