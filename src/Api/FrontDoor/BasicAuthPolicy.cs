using Weft.Api.Istio;
using Weft.Api.Schemas;

namespace Weft.Api.FrontDoor;

/// <summary>Users and passwords that requests at the front door must have.</summary>
[Kind("weft.dev", "v1", "BasicAuthPolicy", Plural = "basicauthpolicies", ShortNames = ["bap"], Categories = ["weft"], DefinitionPrefix = "dev.weft.v1")]
public sealed record BasicAuthPolicy : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For what, and whose passwords.</summary>
    public BasicAuthPolicySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>For what, and whose passwords.</summary>
public sealed record BasicAuthPolicySpec
{
    /// <summary>Gateway, Ingress, VirtualService or Service of the policy's own namespace.</summary>
    [Must] public IReadOnlyList<PolicyTargetReference> TargetRefs { get; init; } = [];

    /// <summary>Secret with an entry auth as htpasswd writes it, or of the type kubernetes.io/basic-auth.</summary>
    [Must] public SecretName SecretRef { get; init; } = new();

    /// <summary>What browsers show.</summary>
    public string? Realm { get; init; }

    /// <summary>Whether the endpoint gets the password, too.</summary>
    public bool? Forward { get; init; }

    /// <summary>Field that tells the endpoint the user's name.</summary>
    public string? UserHeader { get; init; }
}
