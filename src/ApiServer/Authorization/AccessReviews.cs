using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Subresources;

namespace Weft.ApiServer.Authorization;

/// <summary>`selfsubjectaccessreviews`, `subjectaccessreviews` and `localsubjectaccessreviews`: may the caller, or somebody, do something (`kubectl auth can-i`).</summary>
public sealed class AccessReviews(IAuthorizer authorizer) : IVirtualResource
{
    private const string Group = "authorization.k8s.io";

    public bool Serves(GroupVersionResource resource, string subresource) =>
        resource.Group == Group && subresource.Length == 0 && KindOf(resource.Resource) is not null;

    public async ValueTask<JsonObject> CreateAsync(VirtualRequest request, CancellationToken cancellationToken)
    {
        var kind = new GroupVersionKind(Group, "v1", KindOf(request.Info.Resource)!);
        var spec = request.Body["spec"] as JsonObject;
        var user = kind.Kind == "SelfSubjectAccessReview" ? request.User : AccessReviewSpec.User(kind, spec);
        var attributes = AccessReviewSpec.Attributes(kind, spec, user);
        if (kind.Kind == "LocalSubjectAccessReview")
            RequireSameNamespace(kind, attributes, request.Info.Namespace);
        return AccessReviewSpec.Answer(kind, request.Body, await authorizer.AuthorizeAsync(attributes, cancellationToken));
    }

    private static string? KindOf(string resource) => resource switch
    {
        "selfsubjectaccessreviews" => "SelfSubjectAccessReview",
        "subjectaccessreviews" => "SubjectAccessReview",
        "localsubjectaccessreviews" => "LocalSubjectAccessReview",
        _ => null,
    };

    // The right to ask is given for one namespace: the question must stay in it.
    private static void RequireSameNamespace(GroupVersionKind kind, AccessAttributes attributes, string ns)
    {
        if (!attributes.IsResource)
            throw Statuses.Invalid(kind, "", [FieldError.Invalid("spec.nonResourceAttributes", null, "disallowed on this kind of request")]);
        if (attributes.Namespace != ns)
        {
            throw Statuses.BadRequest(
                $"the namespace of spec.resourceAttributes ('{attributes.Namespace}') does not match the namespace on the request ('{ns}')");
        }
    }
}

/// <summary>`selfsubjectrulesreviews`: everything the caller may do in a namespace (`kubectl auth can-i --list`).</summary>
public sealed class RulesReviews(RbacFeed feed) : IVirtualResource
{
    private static readonly GroupVersionKind Kind = new("authorization.k8s.io", "v1", "SelfSubjectRulesReview");

    public bool Serves(GroupVersionResource resource, string subresource) =>
        resource is { Group: "authorization.k8s.io", Resource: "selfsubjectrulesreviews" } && subresource.Length == 0;

    public async ValueTask<JsonObject> CreateAsync(VirtualRequest request, CancellationToken cancellationToken)
    {
        var ns = Metadata.Text(request.Body["spec"] as JsonObject, "namespace");
        if (ns.Length == 0)
            throw Statuses.BadRequest("no namespace on request");

        var rules = (await feed.LatestAsync(cancellationToken)).RulesOf(request.User, ns);
        var isNode = NodeIdentity.NodeName(request.User) is not null;
        var status = new JsonObject
        {
            ["resourceRules"] = new JsonArray([.. rules.Where(r => r.Resources.Count > 0).Select(JsonNode (r) => r.ToJson())]),
            ["nonResourceRules"] = new JsonArray([.. rules.Where(r => r.NonResourceUrls.Count > 0).Select(JsonNode (r) => r.ToJson())]),
            // What a node may do depends on its pods and is no list of rules.
            ["incomplete"] = isNode,
        };
        if (isNode)
            status["evaluationError"] = "node authorizer does not support user rule resolution";

        var answer = (JsonObject)request.Body.DeepClone();
        answer["kind"] = Kind.Kind;
        answer["apiVersion"] = Kind.ApiVersion;
        answer["status"] = status;
        return answer;
    }
}
