using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api.Cel;
using Weft.Api.Patches;
using Weft.Api.Trees;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Webhooks;

/// <summary>
/// Asks the webhooks of the configurations in the store: those that change objects one after the other, those that judge them at the same time. It looks at the
/// store at each write, so a configuration counts from its own write on.
/// </summary>
internal sealed partial class WebhookAdmission(StoredObjects objects, IResourceCatalog catalog, WebhookCaller caller, ILogger logger) : IUserMutators
{
    public const string Group = "admissionregistration.k8s.io";

    private readonly ConditionalWeakTable<Entry, IReadOnlyList<Webhook>> _read = [];

    public async ValueTask<SecondTurn?> ChangeAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var webhooks = await MatchingAsync("mutatingwebhookconfigurations", request, cancellationToken);
        var called = new List<Webhook>();
        // How many had been called before the last one that changed something: those have not seen the object as it is.
        var unaware = -1;
        foreach (var webhook in webhooks)
        {
            var outcome = await CallAsync(webhook, request, change: true, cancellationToken);
            if (outcome == Outcome.Changed)
                unaware = called.Count;
            if (outcome != Outcome.NotMeant)
                called.Add(webhook);
        }
        return unaware < 0 ? null : async changed =>
        {
            foreach (var webhook in called.Take(changed ? called.Count : unaware).Where(webhook => webhook.Reinvoked))
                await CallAsync(webhook, request, change: true, cancellationToken);
        };
    }

    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var webhooks = await MatchingAsync("validatingwebhookconfigurations", request, cancellationToken);
        var calls = webhooks.Select(webhook => CallAsync(webhook, request, change: false, cancellationToken)).ToList();
        await ((Task)Task.WhenAll(calls)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var call in calls)
            await call; // the first refusal in the order of configurations
    }

    /// <summary>Those whose rules mean the request. What depends on the object (selectors, conditions) is tested at each call, for those before may have changed it.</summary>
    private async ValueTask<IReadOnlyList<Webhook>> MatchingAsync(string resource, AdmissionRequest request, CancellationToken cancellationToken)
    {
        // The configurations themselves are nobody's to refuse: a broken webhook could never be removed.
        if (!AdmissionForms.Shows(request) || request.Resource is { Group: Group, Resource: "mutatingwebhookconfigurations" or "validatingwebhookconfigurations" })
            return [];
        var entries = await objects.EntriesAsync(Group, resource, cancellationToken);
        return
        [
            .. entries.SelectMany(entry => _read.GetValue(entry, static found => Webhook.ReadAll(StoredObjects.Parse(found))))
                .Where(webhook => webhook.Rules.Version(request, catalog) is not null),
        ];
    }

    private bool Selects(AdmissionRules rules, AdmissionRequest request) =>
        rules.SelectsObject(request)
        && (rules.NamespaceSelector.IsEverything || rules.SelectsNamespace(request, request.Namespace.Length == 0 ? null : objects.Get("", "namespaces", "", request.Namespace)));

    private enum Outcome { NotMeant, Called, Changed }

    private async Task<Outcome> CallAsync(Webhook webhook, AdmissionRequest request, bool change, CancellationToken cancellationToken)
    {
        try
        {
            if (webhook.Rules.Version(request, catalog) is not { } version || !Selects(webhook.Rules, request))
                return Outcome.NotMeant;
            var form = await AdmissionForms.ShowAsync(request, version, cancellationToken);
            var uid = caller.NextUid();
            var body = AdmissionRequestJson.Of(request, form, uid);
            if (webhook.Problem is { } problem)
                throw new WebhookException(problem);
            var (holds, error) = AdmissionExpressions.All(webhook.Conditions,
                [("object", CelInput.Of(form.Object)), ("oldObject", CelInput.Of(form.OldObject)), ("request", CelInput.Of(body))]);
            if (error is not null)
                throw new WebhookException(error);
            if (!holds)
                return Outcome.NotMeant;

            var review = new JsonObject { ["kind"] = "AdmissionReview", ["apiVersion"] = "admission.k8s.io/v1", ["request"] = body };
            var response = Response(await caller.PostAsync(webhook.Client, review, webhook.Timeout, cancellationToken), uid);
            Take(webhook, request, response);
            if (response["allowed"].AsBoolean() != true)
                throw Denied(webhook, response);
            if (response["patch"] is not { } patch)
                return Outcome.Called;
            if (!change)
                throw new WebhookException("a validating webhook must not answer with a patch");
            return await PatchAsync(request, form, response, patch, cancellationToken) ? Outcome.Changed : Outcome.Called;
        }
        catch (WebhookException e)
        {
            if (!webhook.Ignores)
                throw Statuses.Internal($"failed calling webhook \"{webhook.Name}\": {e.Message}");
            Log.Ignored(logger, webhook.Name, e.Message);
            return Outcome.Called;
        }
    }

    private static JsonObject Response(JsonObject review, string uid)
    {
        if (review["apiVersion"].AsText() != "admission.k8s.io/v1" || review["kind"].AsText() != "AdmissionReview")
            throw new WebhookException("expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview");
        if (review["response"] is not JsonObject response)
            throw new WebhookException("webhook response was absent");
        return response["uid"].AsText() == uid ? response : throw new WebhookException("expected response.uid to be that of the request");
    }

    private void Take(Webhook webhook, AdmissionRequest request, JsonObject response)
    {
        lock (request.Warnings)
            request.Warnings.AddRange(Metadata.Strings(response, "warnings"));
        foreach (var (key, value) in response["auditAnnotations"] as JsonObject ?? [])
            Log.Annotated(logger, $"{webhook.Name}/{key}", value.AsText() ?? "", request.Resource.Qualified, request.Name);
    }

    private static ApiException Denied(Webhook webhook, JsonObject response)
    {
        var status = response["status"] as JsonObject;
        var message = status?["message"].AsText() is { Length: > 0 } said ? $": {said}" : status?["reason"].AsText() is { Length: > 0 } why ? $": {why}" : " without explanation";
        // A refusal is one whatever the webhook calls it.
        var code = status?["code"].AsInteger() is >= 400 and < 600 and var given ? (int)given : 403;
        return new ApiException(new Api.Status
        {
            Result = "Failure", Code = code, Reason = status?["reason"].AsText() is { Length: > 0 } reason ? reason : code == 403 ? "Forbidden" : null,
            Message = $"admission webhook \"{webhook.Name}\" denied the request{message}",
        });
    }

    private static async ValueTask<bool> PatchAsync(AdmissionRequest request, AdmissionForm form, JsonObject response, JsonNode patch, CancellationToken cancellationToken)
    {
        if (response["patchType"].AsText() != "JSONPatch")
            throw new WebhookException($"invalid response.patchType \"{response["patchType"].AsText()}\", expected JSONPatch");
        if (form.Object is not { } before)
            throw new WebhookException("there is no object to patch");
        JsonObject after;
        try
        {
            var operations = JsonTree.Parse(Convert.FromBase64String(patch.AsText() ?? "")).Root;
            after = JsonPatch.Apply(before, operations) as JsonObject ?? throw new WebhookException("the patch must leave an object");
        }
        catch (Exception e) when (e is FormatException or TreeException or PatchException)
        {
            throw new WebhookException($"the patch cannot be applied: {e.Message}", e);
        }
        foreach (var fixedName in (ReadOnlySpan<string>)["name", "namespace", "uid"])
        {
            if (before.At("metadata", fixedName) is { } value && !JsonNode.DeepEquals(value, after.At("metadata", fixedName)))
                throw new WebhookException($"the patch must not change metadata.{fixedName}");
        }
        if (after["kind"].AsText() != before["kind"].AsText() || after["apiVersion"].AsText() != before["apiVersion"].AsText())
            throw new WebhookException("the patch must not change kind and apiVersion");
        KeepServersOwn((JsonObject)before["metadata"]!, (JsonObject)after["metadata"]!);
        if (JsonNode.DeepEquals(before, after))
            return false;
        await AdmissionForms.TakeAsync(request, form, after, cancellationToken);
        return true;
    }

    // What the server alone writes into metadata is not refused, for clients too send it back: it stays as it was.
    private static void KeepServersOwn(JsonObject before, JsonObject after)
    {
        foreach (var name in (ReadOnlySpan<string>)["resourceVersion", "selfLink", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"])
        {
            if (before[name] is { } value)
                after[name] = value.DeepClone();
            else
                after.Remove(name);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Webhook {Webhook} failed and is ignored: {Reason}", EventName = nameof(Ignored))]
        public static partial void Ignored(ILogger logger, string webhook, string reason);

        [LoggerMessage(LogLevel.Information, "Audit annotation {Key}: {Value} ({Resource} {Name})", EventName = nameof(Annotated))]
        public static partial void Annotated(ILogger logger, string key, string value, string resource, string name);
    }
}
