namespace Weft.ApiServer.Http;

/// <summary>
/// What a request asks for, read from method, path and query alone. For a resource: `Verb` is get, list, watch, create, update, patch, delete or
/// deletecollection; otherwise the lower-case method and <see cref="IsResource"/> is false.
/// </summary>
public sealed record RequestInfo(string Path, string Verb)
{
    public bool IsResource { get; init; }
    public string Group { get; init; } = "";
    public string Version { get; init; } = "";
    public string Namespace { get; init; } = "";
    public string Resource { get; init; } = "";
    public string Subresource { get; init; } = "";
    public string Name { get; init; } = "";
}
