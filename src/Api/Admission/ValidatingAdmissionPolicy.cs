using Weft.Api.Schemas;

namespace Weft.Api.Admission;

/// <summary>Rules in CEL about objects of any kind; they take effect where a binding says so.</summary>
[Kind("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", Plural = "validatingadmissionpolicies", ClusterScoped = true, Categories = ["api-extensions"], DefinitionPrefix = "io.k8s.api.admissionregistration.v1")]
public sealed record ValidatingAdmissionPolicy : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The rules.</summary>
    public ValidatingAdmissionPolicySpec Spec { get; init; } = new();
}

/// <summary>The rules of a policy.</summary>
[Definition("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec")]
public sealed record ValidatingAdmissionPolicySpec
{
    /// <summary>Kind of the objects that bindings may give as params.</summary>
    public ParamKind? ParamKind { get; init; }

    /// <summary>Requests that the policy is about.</summary>
    public MatchResources? MatchConstraints { get; init; }

    /// <summary>What must hold.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<Validation> Validations { get; init; } = [];

    /// <summary>What an expression that fails means: Fail refuses the request, Ignore goes on. Fail by default.</summary>
    [OneOf("Fail", "Ignore")] public string? FailurePolicy { get; init; }

    /// <summary>Values for the audit log.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<AuditAnnotation> AuditAnnotations { get; init; } = [];

    /// <summary>Expressions that must all hold for the policy to be asked.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<MatchCondition> MatchConditions { get; init; } = [];

    /// <summary>Values with names, for the expressions after them: variables.name.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<Variable> Variables { get; init; } = [];
}

/// <summary>A kind by its group, version and name.</summary>
[Definition("io.k8s.api.admissionregistration.v1.ParamKind"), Atomic]
public sealed record ParamKind
{
    /// <summary>Group and version.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Kind.</summary>
    public string? Kind { get; init; }
}

/// <summary>Requests by resource, namespace and labels.</summary>
[Definition("io.k8s.api.admissionregistration.v1.MatchResources"), Atomic]
public sealed record MatchResources
{
    /// <summary>Labels of the object's namespace; every namespace by default.</summary>
    public LabelSelector? NamespaceSelector { get; init; }

    /// <summary>Labels of the object, before or after the request; every object by default.</summary>
    public LabelSelector? ObjectSelector { get; init; }

    /// <summary>Requests that are meant.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NamedRuleWithOperations> ResourceRules { get; init; } = [];

    /// <summary>Requests that are not, although resourceRules name them.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NamedRuleWithOperations> ExcludeResourceRules { get; init; } = [];

    /// <summary>Whether rules also mean other versions of a resource: Exact or Equivalent. Equivalent by default.</summary>
    [OneOf("Exact", "Equivalent")] public string? MatchPolicy { get; init; }
}

/// <summary>Requests by operation, resource and name.</summary>
[Definition("io.k8s.api.admissionregistration.v1.NamedRuleWithOperations"), Atomic]
public sealed record NamedRuleWithOperations
{
    /// <summary>Names of objects; all when empty.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ResourceNames { get; init; } = [];

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

/// <summary>A rule of a policy.</summary>
[Definition("io.k8s.api.admissionregistration.v1.Validation")]
public sealed record Validation
{
    /// <summary>Expression over object, oldObject, request, params, namespaceObject and variables; it must give true.</summary>
    [Must] public string Expression { get; init; } = "";

    /// <summary>Said when it does not.</summary>
    public string? Message { get; init; }

    /// <summary>Reason of the refusal: Unauthorized, Forbidden, Invalid (the default) or RequestEntityTooLarge.</summary>
    public string? Reason { get; init; }

    /// <summary>Expression that gives the message.</summary>
    public string? MessageExpression { get; init; }
}

/// <summary>A value for the audit log.</summary>
[Definition("io.k8s.api.admissionregistration.v1.AuditAnnotation")]
public sealed record AuditAnnotation
{
    /// <summary>Its key, below the policy's name.</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>Expression that gives a text, or null for none.</summary>
    [Must] public string ValueExpression { get; init; } = "";
}

/// <summary>A value with a name.</summary>
[Definition("io.k8s.api.admissionregistration.v1.Variable"), Atomic]
public sealed record Variable
{
    /// <summary>The name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Expression that gives the value. If it fails, so does what uses it.</summary>
    [Must] public string Expression { get; init; } = "";
}

/// <summary>Puts a policy into effect.</summary>
[Kind("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding", ClusterScoped = true, Categories = ["api-extensions"], DefinitionPrefix = "io.k8s.api.admissionregistration.v1")]
public sealed record ValidatingAdmissionPolicyBinding : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Which policy, where, and what follows.</summary>
    public ValidatingAdmissionPolicyBindingSpec Spec { get; init; } = new();
}

/// <summary>Which policy, where, and what follows.</summary>
[Definition("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec")]
public sealed record ValidatingAdmissionPolicyBindingSpec
{
    /// <summary>Name of the policy.</summary>
    public string? PolicyName { get; init; }

    /// <summary>Objects that the policy's expressions see as params.</summary>
    public ParamRef? ParamRef { get; init; }

    /// <summary>Requests, among those of the policy.</summary>
    public MatchResources? MatchResources { get; init; }

    /// <summary>What follows when a rule does not hold: Deny, Warn, Audit.</summary>
    [List(ListType.Set)] public IReadOnlyList<string> ValidationActions { get; init; } = [];
}

/// <summary>Params by name or labels.</summary>
[Definition("io.k8s.api.admissionregistration.v1.ParamRef"), Atomic]
public sealed record ParamRef
{
    /// <summary>Name of one object.</summary>
    public string? Name { get; init; }

    /// <summary>Its namespace; that of the request's object by default.</summary>
    public string? Namespace { get; init; }

    /// <summary>Labels of several; the policy is asked for each.</summary>
    public LabelSelector? Selector { get; init; }

    /// <summary>What it means when there is none: Allow or Deny.</summary>
    [OneOf("Allow", "Deny")] public string? ParameterNotFoundAction { get; init; }
}
