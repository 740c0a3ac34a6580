namespace Weft.Client.Tests;

/// <summary>JSON of ConfigMaps as a server sends it.</summary>
internal static class Wire
{
    public static string ConfigMap(string name, int revision, string? uid = null) =>
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}","namespace":"default","uid":"{{{uid ?? "uid-" + name}}}","resourceVersion":"{{{revision}}}"}}""";

    public static string List(int revision, params string[] items) =>
        $$"""{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"{{revision}}"},"items":[{{string.Join(',', items)}}]}""";

    public static string Event(string type, string body) => $$"""{"type":"{{type}}","object":{{body}}}""";

    public static string Bookmark(int revision) =>
        Event("BOOKMARK", $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"resourceVersion":"{{{revision}}}"}}""");

    public static string Failure(int code, string reason, string message) =>
        $$"""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"{{message}}","reason":"{{reason}}","code":{{code}}}""";
}
