namespace Meft.Core.Configuration;

/// <summary>What is trained and how large it is (the config's <c>method</c>). Letters as in method.md: R, N, P, k.</summary>
public sealed record MethodConfig
{
    /// <summary>The kind of adapter.</summary>
    public MethodKind Kind { get; init; } = MethodKind.Meft;

    /// <summary>Neurons a layer as the config asks for them (LoRA: r).</summary>
    public int RequestedRank { get; init; } = 4096;

    /// <summary>R: neurons a layer, <see cref="RequestedRank"/> rounded up to a multiple of <see cref="Experts"/>.</summary>
    public int Rank => Experts == 0 ? RequestedRank : checked((RequestedRank + Experts - 1) / Experts * Experts);

    /// <summary>k: neurons that a token may activate; 0 is no limit.</summary>
    public int TopK { get; init; } = 32;

    /// <summary>N: experts a layer, with <c>auto</c> resolved; 0 is no router.</summary>
    public int Experts { get; init; } = AutoExperts(4096);

    /// <summary>P: experts that a token probes; 0 without a router.</summary>
    public int Probe { get; init; } = DefaultProbe;

    /// <summary>How the router's values become coefficients.</summary>
    public GateKind Gate { get; init; } = GateKind.Linear;

    /// <summary>The adapted layers; what stands here at first is the sparse adapter's <see cref="DefaultLayers"/>.</summary>
    public LayerSelection Layers { get; init; } = DefaultLayers(MethodKind.Meft);

    /// <summary>Full path of an adapter folder to start from, or null.</summary>
    public string? Init { get; init; }

    /// <summary>What travels between host and device.</summary>
    public ExecutionKind Execution { get; init; } = ExecutionKind.Auto;

    /// <summary>LoRA's numerator of the scale.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>The modules that LoRA adapts.</summary>
    public TargetSelection Targets { get; init; } = new TargetSelection.Named(["q_proj", "v_proj"]);

    /// <summary>LoRA's dropout.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether LoRA's scale is alpha / sqrt(r) instead of alpha / r.</summary>
    public bool Rslora { get; init; }

    /// <summary>LoRA's r of certain modules; the first pattern that matches holds.</summary>
    public ValueList<ModulePattern<int>> RankPattern { get; init; } = [];

    /// <summary>LoRA's alpha of certain modules; the first pattern that matches holds.</summary>
    public ValueList<ModulePattern<double>> AlphaPattern { get; init; } = [];

    /// <summary>P where the config does not say it and there are that many experts.</summary>
    internal const int DefaultProbe = 8;

    /// <summary>LoRA's r where the config does not say it.</summary>
    internal const int DefaultLoraRank = 8;

    /// <summary>
    /// The adapted layers where the config does not say them: of the sparse adapter every third, which learn as much as all with a third of the
    /// parameters, while the last layers alone do not learn how questions are to be answered (docs/decisions.md); of the others all.
    /// </summary>
    public static LayerSelection DefaultLayers(MethodKind kind) => kind == MethodKind.Meft ? new LayerSelection.Every(3) : new LayerSelection.All();

    /// <summary>N for <c>experts: auto</c>: 4·ceil(sqrt(R)).</summary>
    public static int AutoExperts(int rank)
    {
        // In integers: a floating square root is off by one for some large squares.
        var root = (int)Math.Sqrt(rank);
        while ((long)root * root < rank) root++;
        while ((long)(root - 1) * (root - 1) >= rank) root--;
        return 4 * root;
    }
}
