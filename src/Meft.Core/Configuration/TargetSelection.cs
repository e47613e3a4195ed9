namespace Meft.Core.Configuration;

/// <summary>Which modules LoRA adapts, as PEFT's <c>target_modules</c> says it.</summary>
public abstract record TargetSelection
{
    /// <summary>What a selection looks like, for error texts.</summary>
    public const string Allowed =
        "a list of module names (for example [q_proj, v_proj]), a regular expression that a module's whole name matches (for example "
        + "\"model\\\\.layers\\\\.[0-9]+\\\\.mlp\\\\..*\"), or all-linear";

    private TargetSelection()
    {
    }

    /// <summary>Every linear map of the layers, the head not among them.</summary>
    public sealed record AllLinear : TargetSelection
    {
        /// <summary>How a config writes it.</summary>
        public const string Name = "all-linear";

        /// <inheritdoc/>
        public override string ToString() => Name;
    }

    /// <summary>Modules whose name is, or after a dot ends with, one of these.</summary>
    /// <param name="Names">At least one.</param>
    public sealed record Named(ValueList<string> Names) : TargetSelection
    {
        /// <inheritdoc/>
        public override string ToString() => Names.ToString();
    }

    /// <summary>Modules whose whole name matches a regular expression.</summary>
    /// <param name="Expression">The expression.</param>
    public sealed record Pattern(string Expression) : TargetSelection
    {
        /// <inheritdoc/>
        public override string ToString() => Expression;
    }
}
