using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Verbs;

/// <summary>Where a chunked list goes on: the last key of the chunk (below the prefix) and the revision that all chunks show. Revision -1 goes on at the newest.</summary>
internal readonly record struct ContinueToken(long Revision, string After)
{
    public const long Inconsistent = -1;

    public string Encode()
    {
        var json = new JsonObject { ["v"] = "meta.k8s.io/v1", ["rv"] = Revision, ["start"] = After };
        return Base64Url.EncodeToString(JsonTree.WriteUtf8(json));
    }

    public static ContinueToken Decode(string text)
    {
        try
        {
            var json = JsonTree.Parse(Base64Url.DecodeFromChars(text)).Root;
            if (json.At("v").AsText() == "meta.k8s.io/v1" && json.At("rv").AsInteger() is { } revision and (Inconsistent or > 0)
                && json.At("start").AsText() is { Length: > 0 } after && !after.Contains("..", StringComparison.Ordinal))
                return new ContinueToken(revision, after);
        }
        catch (Exception e) when (e is FormatException or TreeException)
        {
            // Falls to the one refusal below: what is wrong inside an opaque token helps nobody.
        }
        throw Statuses.BadRequest("continue key is not valid: it must be a value that a list answered");
    }
}
