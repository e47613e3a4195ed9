namespace Meft.Tests;

/// <summary>Tests that measure the whole process, or break what all share, and so run while no other does.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
