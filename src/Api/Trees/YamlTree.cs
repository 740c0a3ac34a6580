using System.Text;
using System.Text.Json.Nodes;
using YamlDotNet.Core;

namespace Weft.Api.Trees;

/// <summary>YAML text to trees and back, read as kubectl reads it.</summary>
public static class YamlTree
{
    /// <summary>The one document of the text. A second one is an error: a request has one body.</summary>
    /// <exception cref="TreeException">Not YAML, beyond <paramref name="limits"/>, or several documents.</exception>
    public static ParsedTree Parse(ReadOnlySpan<byte> utf8, TreeLimits? limits = null) => Parse(Decode(utf8), limits);

    /// <inheritdoc cref="Parse(ReadOnlySpan{byte}, TreeLimits?)"/>
    public static ParsedTree Parse(string text, TreeLimits? limits = null)
    {
        var all = ParseAll(text, limits);
        return all.Count switch
        {
            0 => new ParsedTree(null, []),
            1 => all[0],
            _ => throw new TreeException("more than one YAML document where one is expected", 1, 1),
        };
    }

    /// <summary>All documents of a file, separated by `---`; empty ones are left out, as kubectl does.</summary>
    public static IReadOnlyList<ParsedTree> ParseAll(ReadOnlySpan<byte> utf8, TreeLimits? limits = null) => ParseAll(Decode(utf8), limits);

    /// <inheritdoc cref="ParseAll(ReadOnlySpan{byte}, TreeLimits?)"/>
    public static IReadOnlyList<ParsedTree> ParseAll(string text, TreeLimits? limits = null)
    {
        try
        {
            return new YamlReader(text, limits ?? TreeLimits.Default).ReadAll();
        }
        catch (YamlException e)
        {
            throw new TreeException("invalid YAML: " + e.Message, e.Start.Line, e.Start.Column, e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            // The scanner answers some damaged inputs (a byte order mark in the middle of a scalar) with these instead of its own exception, and then without a place.
            throw new TreeException("invalid YAML: the text cannot be read", 1, 1, e);
        }
    }

    /// <summary>Block style as kubectl prints it: lists not indented under their key, keys in the order of the tree.</summary>
    public static string Write(JsonNode? tree)
    {
        var text = new StringBuilder();
        YamlWriter.Write(tree, text);
        return text.ToString();
    }

    private static string Decode(ReadOnlySpan<byte> utf8)
    {
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
            throw new TreeException("the text is not valid UTF-8", 1, 1);
        return Encoding.UTF8.GetString(utf8.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8);
    }
}
