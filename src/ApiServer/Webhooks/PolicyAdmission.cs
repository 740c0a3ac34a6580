using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api.Cel;
using Weft.Api.Selectors;
using Weft.Api.Trees;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Webhooks;

/// <summary>Holds requests against the ValidatingAdmissionPolicies that a binding puts into effect. Like webhooks they are looked up at each write.</summary>
internal sealed partial class PolicyAdmission(StoredObjects objects, IResourceCatalog catalog, ILogger logger) : IAdmission
{
    private readonly ConditionalWeakTable<Entry, AdmissionPolicy> _policies = [];
    private readonly ConditionalWeakTable<Entry, PolicyBinding> _bindings = [];

    public string Name => "ValidatingAdmissionPolicy";

    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        // Policies themselves are nobody's to refuse: a wrong one could never be removed.
        if (!AdmissionForms.Shows(request) || request.Resource is { Group: WebhookAdmission.Group, Resource: "validatingadmissionpolicies" or "validatingadmissionpolicybindings" })
            return;
        foreach (var entry in await objects.EntriesAsync(WebhookAdmission.Group, "validatingadmissionpolicybindings", cancellationToken))
        {
            var binding = _bindings.GetValue(entry, static found => PolicyBinding.Read(StoredObjects.Parse(found)));
            // A binding without its policy has no effect yet.
            if (objects.Find(WebhookAdmission.Group, "validatingadmissionpolicies", "", binding.Policy) is { } policy)
                await JudgeAsync(_policies.GetValue(policy, static found => AdmissionPolicy.Read(StoredObjects.Parse(found))), binding, request, cancellationToken);
        }
    }

    private async ValueTask JudgeAsync(AdmissionPolicy policy, PolicyBinding binding, AdmissionRequest request, CancellationToken cancellationToken)
    {
        var ns = request.Namespace.Length == 0 ? null : objects.Get("", "namespaces", "", request.Namespace);
        if (policy.Rules.Version(request, catalog) is not { } version || !Selects(policy.Rules, request, ns))
            return;
        // A binding without rules of its own narrows by its selectors alone.
        if (binding.Rules is { } narrower && (!Selects(narrower, request, ns) || narrower.Rules.Count > 0 && narrower.Version(request, catalog) is null))
            return;
        if (policy.Problem is { } problem)
        {
            Fail(policy, binding, request, problem);
            return;
        }
        var form = await AdmissionForms.ShowAsync(request, version, cancellationToken);
        foreach (var param in await ParamsAsync(policy, binding, request, cancellationToken))
            Evaluate(policy, binding, request, form, ns, param);
    }

    private static bool Selects(AdmissionRules rules, AdmissionRequest request, JsonObject? ns) => rules.SelectsNamespace(request, ns) && rules.SelectsObject(request);

    private void Evaluate(AdmissionPolicy policy, PolicyBinding binding, AdmissionRequest request, AdmissionForm form, JsonObject? ns, JsonObject? param)
    {
        var left = CelLimits.PerObject;
        List<(string, CelInput)> seen =
        [
            ("object", CelInput.Of(form.Object)), ("oldObject", CelInput.Of(form.OldObject)), ("request", CelInput.Of(AdmissionRequestJson.Of(request, form, ""))),
            ("namespaceObject", CelInput.Of(ns)), ("params", CelInput.Of(param)),
        ];
        var (holds, error) = AdmissionExpressions.All(policy.Conditions, [.. seen]);
        if (error is not null)
            Fail(policy, binding, request, error);
        if (!holds)
            return;

        // Each sees those before it.
        var variables = new Dictionary<string, CelInput>();
        foreach (var (name, program) in policy.Variables)
            variables[name] = CelInput.Of(Run(program, [.. seen, ("variables", CelInput.Members(variables))]));
        seen.Add(("variables", CelInput.Members(variables)));

        foreach (var validation in policy.Validations)
        {
            var outcome = Run(validation.Program, [.. seen]);
            if (outcome.IsTrue)
                continue;
            if (!outcome.IsFalse)
                Fail(policy, binding, request, $"expression '{validation.Program.Text}' resulted in error: {outcome.Error ?? "it gives no bool"}");
            else
                Refuse(policy, binding, request, Message(validation), validation.Reason);
        }
        foreach (var (key, program) in policy.Annotations)
        {
            if (Run(program, [.. seen]).Text is { } value)
                Log.Annotated(logger, $"{policy.Name}/{key}", value, request.Resource.Qualified, request.Name);
        }

        string Message(PolicyValidation validation) =>
            validation.MessageExpression is { } made && Run(made, [.. seen]).Text is { } text && text.Trim().Length > 0 && !text.Contains('\n') ? text.Trim()
                : validation.Message is { Length: > 0 } message ? message.Trim() : $"failed expression: {validation.Program.Text.Trim()}";

        CelOutcome Run(CelProgram program, ReadOnlySpan<(string, CelInput)> given)
        {
            var granted = Math.Min(left, CelLimits.PerExpression);
            try
            {
                var outcome = program.Evaluate(granted, given);
                left -= granted - outcome.Left;
                return outcome;
            }
            catch (CelBudgetException e)
            {
                left -= granted;
                return new CelOutcome(e.Message, 0);
            }
        }
    }

    // What cannot be evaluated counts as refused, unless the policy says otherwise.
    private void Fail(AdmissionPolicy policy, PolicyBinding binding, AdmissionRequest request, string problem)
    {
        if (policy.Ignores)
            Log.Ignored(logger, policy.Name, binding.Name, problem);
        else
            Refuse(policy, binding, request, problem, "Invalid");
    }

    private void Refuse(AdmissionPolicy policy, PolicyBinding binding, AdmissionRequest request, string message, string reason)
    {
        if (binding.Actions.Contains("Audit"))
            Log.Audited(logger, policy.Name, binding.Name, request.Resource.Qualified, request.Name, message);
        if (binding.Actions.Contains("Warn"))
            request.Warnings.Add($"Validation failed for ValidatingAdmissionPolicy '{policy.Name}' with binding '{binding.Name}': {message}");
        if (!binding.Actions.Contains("Deny"))
            return;
        message = $"ValidatingAdmissionPolicy '{policy.Name}' with binding '{binding.Name}' denied request: {message}";
        var refusal = Statuses.Forbidden(request.Resource, request.Name, message).Status;
        // kubectl prints the causes of what is invalid, and nothing else.
        throw new ApiException(refusal with { Details = refusal.Details! with { Causes = [new Api.StatusCause { Message = message }] }, Reason = reason, Code = reason switch { "Forbidden" => 403, "Unauthorized" => 401, "RequestEntityTooLarge" => 413, _ => 422 } });
    }

    /// <summary>The objects that the expressions see as params, one after the other; a single null for a policy without.</summary>
    private async ValueTask<IReadOnlyList<JsonObject?>> ParamsAsync(AdmissionPolicy policy, PolicyBinding binding, AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (policy.ParamKind is null || binding.ParamRef is not { } reference)
            return [null];
        if (catalog.Current.All.FirstOrDefault(known => known.Kind.ApiVersion == policy.ParamApiVersion && known.Kind.Kind == policy.ParamKind) is not { } resource)
        {
            Fail(policy, binding, request, $"failed to find resource for params: {policy.ParamApiVersion}, Kind={policy.ParamKind}");
            return [];
        }
        var ns = !resource.Namespaced ? "" : reference["namespace"].AsText() is { Length: > 0 } named ? named : request.Namespace;
        // Without one they would come from all namespaces, and whoever may write in any of them would decide about the cluster.
        if (resource.Namespaced && ns.Length == 0)
        {
            Fail(policy, binding, request, "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
            return [];
        }
        IReadOnlyList<JsonObject?> found;
        if (reference["name"].AsText() is { Length: > 0 } name)
            found = objects.Get(resource.Resource.Group, resource.Resource.Resource, ns, name) is { } one ? [one] : [];
        else
        {
            var query = LabelQuery.FromSelector(reference["selector"]);
            var (items, _) = await objects.ListAsync(resource.Resource.Group, resource.Resource.Resource, ns, cancellationToken);
            found = [.. items.Where(item => query.Matches(item.At("metadata", "labels") as JsonObject))];
        }
        if (found.Count == 0 && reference["parameterNotFoundAction"].AsText() == "Deny")
            Fail(policy, binding, request, "no params found for policy binding with `Deny` parameterNotFoundAction");
        return found;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Policy {Policy} with binding {Binding} failed and is ignored: {Reason}", EventName = nameof(Ignored))]
        public static partial void Ignored(ILogger logger, string policy, string binding, string reason);

        [LoggerMessage(LogLevel.Information, "Policy {Policy} with binding {Binding} would refuse {Resource} {Name}: {Message}", EventName = nameof(Audited))]
        public static partial void Audited(ILogger logger, string policy, string binding, string resource, string name, string message);

        [LoggerMessage(LogLevel.Information, "Audit annotation {Key}: {Value} ({Resource} {Name})", EventName = nameof(Annotated))]
        public static partial void Annotated(ILogger logger, string key, string value, string resource, string name);
    }
}
