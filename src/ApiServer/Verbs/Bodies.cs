using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Protobuf;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Verbs;

/// <summary>Turns request bodies into trees of the kind that the path names.</summary>
internal static class Bodies
{
    // Field numbers, read at the first body that needs them; nothing in it ever changes.
    private static readonly ProtobufObjects Protobuf = new();

    public static async ValueTask<ParsedTree> ParseAsync(ApiRequest request, BodyMedia media)
    {
        var body = await BodyReader.ReadAsync(request.Http.Request, request.Aborted);
        try
        {
            if (media == BodyMedia.Protobuf)
                return new ParsedTree(Protobuf.Read(body.Span) ?? throw Statuses.UnsupportedMediaType(OutputFormat.JsonType, OutputFormat.YamlType), []);
            return media is BodyMedia.Yaml or BodyMedia.ApplyPatch ? ParseYaml(body.Span) : JsonTree.Parse(body.Span);
        }
        catch (Exception e) when (e is TreeException or ProtobufException)
        {
            throw Statuses.BadRequest($"the request body cannot be read: {e.Message}");
        }
    }

    /// <summary>The object of a create or update, of the kind the path names.</summary>
    public static async ValueTask<JsonObject> ReadObjectAsync(ApiRequest request, GroupVersionKind kind, Action<IReadOnlyList<string>> duplicates, string? olderVersion = null)
    {
        var parsed = await ParseAsync(request, BodyReader.DocumentMedia(request.Http.Request));
        if (parsed.Root is not JsonObject tree)
            throw Statuses.BadRequest("the request body must be an object");
        if (olderVersion is not null && tree["apiVersion"].AsText() == olderVersion)
            tree["apiVersion"] = kind.ApiVersion;
        CheckKind(tree, kind);
        duplicates(parsed.Duplicates);
        return tree;
    }

    /// <summary>An absent apiVersion and kind are those of the path, as kube-apiserver decodes; other ones are refused.</summary>
    public static void CheckKind(JsonObject tree, GroupVersionKind kind)
    {
        var (apiVersion, name) = (tree["apiVersion"].AsText() ?? "", tree["kind"].AsText() ?? "");
        if (name.Length > 0 && name != kind.Kind)
            throw Statuses.BadRequest($"the kind in the body ({name}) does not match the one of the path ({kind.Kind})");
        if (apiVersion.Length > 0 && apiVersion != kind.ApiVersion)
            throw Statuses.BadRequest($"the API version in the data ({apiVersion}) does not match the expected API version ({kind.ApiVersion})");
        tree["apiVersion"] = kind.ApiVersion;
        tree["kind"] = kind.Kind;
    }

    public static FieldValidation Validation(ApiRequest request) => request.Query.Last("fieldValidation") switch
    {
        null or "Warn" => FieldValidation.Warn,
        "Ignore" => FieldValidation.Ignore,
        "Strict" => FieldValidation.Strict,
        var other => throw Statuses.Invalid(MetaKinds.Options(request.Info.Verb), "",
            [FieldError.NotSupported("fieldValidation", $"\"{other}\"", ["", "Ignore", "Strict", "Warn"])]),
    };

    // Clients put JSON into YAML bodies; its reader is the faster one. What only begins like JSON (a flow mapping) is YAML all the same.
    private static ParsedTree ParseYaml(ReadOnlySpan<byte> body)
    {
        if (body.TrimStart(" \t\r\n"u8).StartsWith("{\""u8))
        {
            try
            {
                return JsonTree.Parse(body);
            }
            catch (TreeException)
            {
                // The YAML reader says what is wrong, if anything is.
            }
        }
        return YamlTree.Parse(body);
    }
}
