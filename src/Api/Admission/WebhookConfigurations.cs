using Weft.Api.Schemas;

namespace Weft.Api.Admission;

/// <summary>Webhooks that may change objects before they are stored.</summary>
[Kind("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", ClusterScoped = true, Categories = ["api-extensions"], DefinitionPrefix = "io.k8s.api.admissionregistration.v1")]
public sealed record MutatingWebhookConfiguration : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The webhooks, in the order in which they are called.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<MutatingWebhook> Webhooks { get; init; } = [];
}

/// <summary>Webhooks that may refuse objects before they are stored.</summary>
[Kind("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", ClusterScoped = true, Categories = ["api-extensions"], DefinitionPrefix = "io.k8s.api.admissionregistration.v1")]
public sealed record ValidatingWebhookConfiguration : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The webhooks; they are called at the same time.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<ValidatingWebhook> Webhooks { get; init; } = [];
}

/// <summary>A webhook that may change objects.</summary>
[Definition("io.k8s.api.admissionregistration.v1.MutatingWebhook")]
public sealed record MutatingWebhook
{
    /// <summary>Its name, with at least three parts: check.example.com.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>How to call it.</summary>
    [Must] public WebhookClientConfig ClientConfig { get; init; } = new();

    /// <summary>Requests it is asked about.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<RuleWithOperations> Rules { get; init; } = [];

    /// <summary>What a failed call means: Fail refuses the request, Ignore goes on. Fail by default.</summary>
    [OneOf("Fail", "Ignore")] public string? FailurePolicy { get; init; }

    /// <summary>Whether rules also mean other versions of a resource: Exact or Equivalent. Equivalent by default.</summary>
    [OneOf("Exact", "Equivalent")] public string? MatchPolicy { get; init; }

    /// <summary>Labels of the object's namespace; every namespace by default.</summary>
    public LabelSelector? NamespaceSelector { get; init; }

    /// <summary>Labels of the object, before or after the request; every object by default.</summary>
    public LabelSelector? ObjectSelector { get; init; }

    /// <summary>What else the webhook does; one with side effects that a dry run cannot suppress is not allowed: None or NoneOnDryRun.</summary>
    [Must, OneOf("None", "NoneOnDryRun")] public string SideEffects { get; init; } = "";

    /// <summary>Longest time of a call, 1 to 30. 10 by default.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Versions of AdmissionReview it knows.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> AdmissionReviewVersions { get; init; } = [];

    /// <summary>Whether it is called again when a later webhook changed the object: Never or IfNeeded. Never by default.</summary>
    [OneOf("Never", "IfNeeded")] public string? ReinvocationPolicy { get; init; }

    /// <summary>Expressions that must all hold for the webhook to be called.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<MatchCondition> MatchConditions { get; init; } = [];
}

/// <summary>A webhook that may refuse objects.</summary>
[Definition("io.k8s.api.admissionregistration.v1.ValidatingWebhook")]
public sealed record ValidatingWebhook
{
    /// <summary>Its name, with at least three parts: check.example.com.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>How to call it.</summary>
    [Must] public WebhookClientConfig ClientConfig { get; init; } = new();

    /// <summary>Requests it is asked about.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<RuleWithOperations> Rules { get; init; } = [];

    /// <summary>What a failed call means: Fail refuses the request, Ignore goes on. Fail by default.</summary>
    [OneOf("Fail", "Ignore")] public string? FailurePolicy { get; init; }

    /// <summary>Whether rules also mean other versions of a resource: Exact or Equivalent. Equivalent by default.</summary>
    [OneOf("Exact", "Equivalent")] public string? MatchPolicy { get; init; }

    /// <summary>Labels of the object's namespace; every namespace by default.</summary>
    public LabelSelector? NamespaceSelector { get; init; }

    /// <summary>Labels of the object, before or after the request; every object by default.</summary>
    public LabelSelector? ObjectSelector { get; init; }

    /// <summary>What else the webhook does; one with side effects that a dry run cannot suppress is not allowed: None or NoneOnDryRun.</summary>
    [Must, OneOf("None", "NoneOnDryRun")] public string SideEffects { get; init; } = "";

    /// <summary>Longest time of a call, 1 to 30. 10 by default.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Versions of AdmissionReview it knows.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> AdmissionReviewVersions { get; init; } = [];

    /// <summary>Expressions that must all hold for the webhook to be called.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<MatchCondition> MatchConditions { get; init; } = [];
}

/// <summary>Requests by operation and resource.</summary>
[Definition("io.k8s.api.admissionregistration.v1.RuleWithOperations")]
public sealed record RuleWithOperations
{
    /// <summary>CREATE, UPDATE, DELETE, CONNECT or * for all.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Operations { get; init; } = [];

    /// <summary>API groups; "" is the core group, * are all.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ApiGroups { get; init; } = [];

    /// <summary>API versions; * are all.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ApiVersions { get; init; } = [];

    /// <summary>Resources: pods, pods/status, pods/*, */scale, * for all without and */* for all with subresources.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Resources { get; init; } = [];

    /// <summary>Cluster, Namespaced or * for both, the default.</summary>
    [OneOf("Cluster", "Namespaced", "*")] public string? Scope { get; init; }
}

/// <summary>A condition in CEL.</summary>
[Definition("io.k8s.api.admissionregistration.v1.MatchCondition")]
public sealed record MatchCondition
{
    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Expression over object, oldObject and request.</summary>
    [Must] public string Expression { get; init; } = "";
}

/// <summary>How to call a webhook.</summary>
[Definition("io.k8s.api.admissionregistration.v1.WebhookClientConfig")]
public sealed record WebhookClientConfig
{
    /// <summary>Its address.</summary>
    public string? Url { get; init; }

    /// <summary>Or a service.</summary>
    public ServiceReference? Service { get; init; }

    /// <summary>Certificates to trust; without them those that the machine trusts.</summary>
    public byte[]? CaBundle { get; init; }
}

/// <summary>A service.</summary>
[Definition("io.k8s.api.admissionregistration.v1.ServiceReference")]
public sealed record ServiceReference
{
    /// <summary>Its namespace.</summary>
    [Must] public string Namespace { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Path of the request.</summary>
    public string? Path { get; init; }

    /// <summary>Port of the service. 443 by default.</summary>
    public int? Port { get; init; }
}
