using Meft.Core.Configuration;

namespace Meft.Tests.Adapters;

/// <summary>The two ways to run a layer.</summary>
internal static class Executions
{
    public static IReadOnlyList<ExecutionKind> Both { get; } = [ExecutionKind.Activations, ExecutionKind.Rows];
}
