using Weft.Api.Istio;
using Weft.Api.Schemas;

namespace Weft.Api.FrontDoor;

/// <summary>Keys that requests at the front door must have.</summary>
[Kind("weft.dev", "v1", "ApiKeyPolicy", Plural = "apikeypolicies", ShortNames = ["akp"], Categories = ["weft"], DefinitionPrefix = "dev.weft.v1")]
public sealed record ApiKeyPolicy : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For what, and whose keys.</summary>
    public ApiKeyPolicySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>For what, and whose keys.</summary>
public sealed record ApiKeyPolicySpec
{
    /// <summary>Gateway, Ingress, VirtualService or Service of the policy's own namespace.</summary>
    [Must] public IReadOnlyList<PolicyTargetReference> TargetRefs { get; init; } = [];

    /// <summary>Who has which key.</summary>
    [List(ListType.Map, "name")] public IReadOnlyList<KeyConsumer> Consumers { get; init; } = [];

    /// <summary>Secrets whose entries are all keys: the name of an entry is its consumer's.</summary>
    public IReadOnlyList<SecretName> SecretRefs { get; init; } = [];

    /// <summary>Field with the key.</summary>
    [Default("\"x-api-key\"")] public string? Header { get; init; }

    /// <summary>Query parameter with the key; not looked at when absent, for queries end up in logs.</summary>
    public string? Query { get; init; }

    /// <summary>Cookie with the key.</summary>
    public string? Cookie { get; init; }

    /// <summary>Whether the endpoint gets the key, too.</summary>
    public bool? Forward { get; init; }

    /// <summary>Field that tells the endpoint the consumer's name.</summary>
    public string? ConsumerHeader { get; init; }
}

/// <summary>A consumer and the Secret with its key.</summary>
public sealed record KeyConsumer
{
    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Entry of a Secret.</summary>
    [Must] public SecretEntry SecretRef { get; init; } = new();
}

/// <summary>A Secret of the same namespace.</summary>
public sealed record SecretName
{
    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";
}

/// <summary>An entry of a Secret of the same namespace.</summary>
public sealed record SecretEntry
{
    /// <summary>Name of the Secret.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Name of the entry.</summary>
    public string? Key { get; init; }
}
