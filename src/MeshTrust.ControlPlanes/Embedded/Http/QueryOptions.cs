using System.Text;
using MeshTrust.ControlPlanes.Embedded.Objects;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>Reads and judges the options that stand in a query.</summary>
internal static class QueryOptions
{
    private const int LongestManager = 128;

    /// <exception cref="ApiFault">422 where an option is wrong.</exception>
    public static WriteOptions Write(HttpRequest request, string kind, bool isApply)
    {
        var faults = new List<FieldFault>();
        var manager = request.Query["fieldManager"].ToString();
        var force = IsTrue(request, "force");
        if (kind == "PatchOptions")
        {
            if (isApply && manager.Length == 0) faults.Add(FieldFault.Required("fieldManager", "is required for apply patch"));
            if (!isApply && request.Query.ContainsKey("force")) faults.Add(FieldFault.Forbidden("force", "may not be specified for non-apply patch"));
        }

        if (Encoding.UTF8.GetByteCount(manager) > LongestManager) faults.Add(FieldFault.TooLong("fieldManager", LongestManager));
        else if (manager.Any(char.IsControl)) faults.Add(FieldFault.Invalid("fieldManager", string.Empty, "must only contain printable characters"));
        var dryRun = DryRun([.. request.Query["dryRun"].OfType<string>().Where(v => v.Length > 0)], faults);
        var validation = request.Query["fieldValidation"].ToString();
        if (validation is not ("" or "Ignore" or "Warn" or "Strict"))
            faults.Add(FieldFault.NotSupported("fieldValidation", $"\"{validation}\"", "\"Ignore\", \"Strict\", \"Warn\""));
        Throw(faults, kind);
        return new WriteOptions
        {
            Manager = manager.Length > 0 ? manager : AgentOf(request),
            DryRun = dryRun,
            Force = force,
            Strict = validation == "Strict",
        };
    }

    /// <summary>Reads dryRun of a query and of a body's DeleteOptions.</summary>
    public static bool DryRunOfDelete(HttpRequest request, IEnumerable<string> inBody)
    {
        var faults = new List<FieldFault>();
        var dryRun = DryRun([.. request.Query["dryRun"].OfType<string>().Where(v => v.Length > 0), .. inBody], faults);
        Throw(faults, "DeleteOptions");
        return dryRun;
    }

    public static bool IsTrue(HttpRequest request, string name) => request.Query[name].ToString() is "true" or "1" or "True" or "TRUE" or "t" or "T";

    private static bool DryRun(IReadOnlyList<string> values, List<FieldFault> faults)
    {
        if (values.Any(v => v != "All"))
            faults.Add(FieldFault.NotSupported("dryRun", $"[]string{{{string.Join(", ", values.Select(v => $"\"{v}\""))}}}", "\"All\""));
        return values.Count > 0;
    }

    private static void Throw(List<FieldFault> faults, string kind)
    {
        if (faults.Count > 0) throw ApiFault.Invalid(kind, string.Empty, faults, "meta.k8s.io");
    }

    private static string AgentOf(HttpRequest request)
    {
        var agent = request.Headers.UserAgent.ToString();
        var end = agent.IndexOf('/', StringComparison.Ordinal);
        var name = new string([.. (end < 0 ? agent : agent[..end]).Where(c => !char.IsControl(c)).Take(LongestManager)]);
        return name.Length > 0 ? name : "unknown";
    }
}
