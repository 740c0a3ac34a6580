using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Cli.Objects;

/// <summary>Documents of files, folders or standard input, in order.</summary>
internal static class Manifests
{
    public static IEnumerable<(string Source, JsonObject Tree)> Documents(string source)
    {
        if (Directory.Exists(source))
        {
            return Directory.EnumerateFiles(source).Where(file => Path.GetExtension(file) is ".yaml" or ".yml" or ".json")
                .Order(StringComparer.Ordinal).SelectMany(Documents);
        }

        return Read(source).Select(tree => (source, tree));
    }

    private static IEnumerable<JsonObject> Read(string source)
    {
        string text;
        try
        {
            text = source == "-" ? Console.In.ReadToEnd() : File.ReadAllText(source);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"cannot read {source}: {unreadable.Message}");
        }

        IReadOnlyList<ParsedTree> parsed;
        try
        {
            parsed = YamlTree.ParseAll(text);
        }
        catch (TreeException bad)
        {
            throw new CommandException($"{source}: {bad.Message}");
        }

        return parsed.Select(document => document.Root).OfType<JsonNode>().Select(root => root as JsonObject
            ?? throw new CommandException($"{source}: a document is no object"));
    }
}
