using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Cli.Demo.Tour;

/// <summary>What a visitor of the shop got.</summary>
/// <param name="Status">0: no answer.</param>
/// <param name="Version">Of the catalogue; null where there is none in the answer.</param>
internal sealed record Visit(int Status, string Text, string? Version, string? Pod)
{
    internal bool Succeeded => Status == (int)HttpStatusCode.OK;

    internal static Visit Read(int status, string text)
    {
        JsonNode? catalogue = null;
        try
        {
            catalogue = (JsonNode.Parse(text) as JsonObject)?["catalogue"];
        }
        catch (JsonException)
        {
            // A page, or what went wrong.
        }

        return new(status, text.Trim(), (string?)catalogue?["version"], (string?)catalogue?["pod"]);
    }
}
