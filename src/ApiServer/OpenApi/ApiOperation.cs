using Weft.Api;

namespace Weft.ApiServer.OpenApi;

internal sealed record ApiParameter(string Name, string Type, string Description);

/// <summary>One method of one path, in neither version's words.</summary>
/// <param name="Action">`x-kubernetes-action`: list, get, post, put, patch, delete, deletecollection, connect.</param>
/// <param name="Kind">`x-kubernetes-group-version-kind`: by it clients find the operation.</param>
/// <param name="Body">Definition of the request's body, or null.</param>
/// <param name="Answer">Definition of the answer, or null for plain text.</param>
internal sealed record ApiOperation(string Path, string Method, string Action, string Id, string Description, GroupVersionKind Kind, string? Body, string? Answer)
{
    public IReadOnlyList<ApiParameter> Query { get; init; } = [];

    /// <summary>Media types of the body.</summary>
    public IReadOnlyList<string> Consumes { get; init; } = [];
}
