using System.Text;

namespace Meft.Core.Configuration;

/// <summary>Writes docs/config.md from the same table that reads a config.</summary>
public static class ConfigReference
{
    /// <summary>The reference of all keys as Markdown.</summary>
    public static string ToMarkdown()
    {
        var text = new StringBuilder("""
            # The config

            A run is one YAML file. Every key is below; a key that is left out, or `null`, has its default. Relative paths, those of `--set` too, are relative to the
            config file. Sizes take units: `6GiB`, `512MiB`, `1GB`. `--set key=value` overrides a key, for example `--set method.rank=8192`
            (the value is YAML, so `--set "method.layers=[3, 4]"` works; an empty value gives the default). All errors of a file are reported together.

            A key that would have no effect beside the others (column "for") is refused, unless it says its default. What this version
            cannot do yet is refused too, with what it can do.

            `data.train` is a file, a list of files, or a list in which files have weights:

                data:
                  train:
                    - facts.jsonl
                    - {file: chats.jsonl, weight: 0.5}

            On the command line: `--set "data.train=[facts.jsonl, {file: chats.jsonl, weight: 0.5}]"`. docs/batches.md says what weights, packing and
            the cache of tokenised rows do.

            This page is generated from the program's own table of keys; a test compares the two.

            """);
        foreach (var section in ConfigSchema.All.GroupBy(k => k.Section))
        {
            text.Append("\n## ").Append(section.Key.Length == 0 ? "Top level" : $"`{section.Key}`").Append("\n\n");
            text.Append("| key | default | allowed | for | meaning |\n|---|---|---|---|---|\n");
            foreach (var key in section)
            {
                string[] cells = [$"`{key.Path}`", key.DefaultText ?? "required", key.Allowed, key.AppliesWhen?.Text ?? "", key.Doc];
                text.Append("| ").AppendJoin(" | ", cells.Select(Cell)).Append(" |\n");
            }
        }
        return text.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
