using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>Asks a server what the current user may do.</summary>
internal static class AccessReview
{
    public const string Path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

    public static async Task<bool> AllowsAsync(RawApiClient user, string? namespaceName, string resource, string verb) =>
        (bool?)(await user.PostAsync(Path, Question(namespaceName, resource, verb))).Gives(201).Json["status"]!["allowed"] == true;

    public static JsonObject Question(string? namespaceName, string resource, string verb) => new()
    {
        ["apiVersion"] = "authorization.k8s.io/v1",
        ["kind"] = "SelfSubjectAccessReview",
        ["spec"] = new JsonObject
        {
            ["resourceAttributes"] = new JsonObject { ["namespace"] = namespaceName ?? "", ["resource"] = resource, ["verb"] = verb },
        },
    };
}
