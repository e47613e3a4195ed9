using Meft.Core.Configuration;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Configuration;

/// <summary>A folder with one config file in it.</summary>
internal sealed class ConfigTestFolder : IDisposable
{
    public const string Minimal = "model: m\noutput: o\ndata: {train: t.jsonl}\n";
    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    public string ConfigPath => _folder.File("config.yaml");

    public RunConfig Load(string yaml, params string[] sets) => RunConfig.Load(_folder.Write("config.yaml", yaml), sets);

    /// <summary>The errors of a config, the file's name shortened to <c>config.yaml</c>.</summary>
    public IReadOnlyList<ConfigError> Errors(string yaml, params string[] sets) =>
        [.. Should.Throw<ConfigException>(() => Load(yaml, sets)).Errors.Select(e => e with { Location = e.Location.Replace(ConfigPath, "config.yaml") })];

    /// <summary>The one error of a minimal config with lines added.</summary>
    public ConfigError ErrorWith(string lines) => Errors(Minimal + lines).ShouldHaveSingleItem();

    public void Dispose() => _folder.Dispose();
}
