using System.Reflection;
using System.Text.RegularExpressions;
using global::Cake.Frosting;
using global::Cake.Frosting.MeshTrust.Tasks;
using MeshTrust.Tests.Architecture;

namespace MeshTrust.Tests.Cake.Tasks;

/// <summary>The graph mirrors Istio's Makefile.selfsigned flow, and each task follows the house rules.</summary>
[TestFixture]
public sealed class TaskGraphTests
{
    private static readonly Type[] Tasks = [.. typeof(VerifyTask).Assembly.GetExportedTypes().Concat(typeof(Build.DotNetCommand).Assembly.GetExportedTypes())
        .Where(type => typeof(IFrostingTask).IsAssignableFrom(type))];

    [TestCase("Preflight")]
    [TestCase("SetupKind", "Preflight")]
    [TestCase("SetContexts", "SetupKind")]
    [TestCase("RootCa")]
    [TestCase("ClusterCacerts", "RootCa")]
    [TestCase("PushSecrets", "SetContexts", "ClusterCacerts")]
    [TestCase("Verify", "PushSecrets")]
    [TestCase("Status")]
    [TestCase("Images")]
    [TestCase("Export")]
    [TestCase("InstallValues", "SetContexts")]
    [TestCase("RemoteSecrets", "SetContexts")]
    [TestCase("WorkloadCerts")]
    [TestCase("Inspect")]
    [TestCase("NeedsRenewal")]
    [TestCase("Lint")]
    [TestCase("FetchRootCa")]
    [TestCase("CertificateRequests")]
    [TestCase("ImportCertificates")]
    [TestCase("CleanClusters")]
    [TestCase("Clean", "CleanClusters")]
    public void The_dependencies_between_tasks_are_as_documented(string task, params string[] dependencies) =>
        Assert.That(
            Find(task).GetCustomAttributes<IsDependentOnAttribute>().Select(edge => NameOf(edge.Task)),
            Is.EqualTo(dependencies));

    [TestCaseSource(nameof(Tasks))]
    public void A_task_is_named_described_sealed_and_derives_directly(Type task) => Assert.Multiple(() =>
    {
        Assert.That(task.GetCustomAttribute<TaskNameAttribute>()?.Name, Is.EqualTo(task.Name[..^"Task".Length]));
        Assert.That(task.GetCustomAttribute<TaskDescriptionAttribute>()?.Description, Is.Not.Null.And.Not.Empty);
        Assert.That(task.IsSealed, Is.True);
        Assert.That(task.BaseType, Is.EqualTo(typeof(AsyncFrostingTask)).Or.EqualTo(typeof(FrostingTask)));
        Assert.That(task.GetMethod("OnError", BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly), Is.Null, "an OnError override swallows the fault");
    });

    [Test]
    public void A_task_body_is_20_lines_or_fewer()
    {
        var long_ =
            from file in SourceTree.Under("src/Cake.Frosting.MeshTrust/Tasks", "build/Tasks")
            let body = Regex.Match(file.Text, @"public override [^\n]*Run(?:Async)?\([^\n]*\n    \{\n(.*?)\n    \}", RegexOptions.Singleline).Groups[1].Value
            let lines = body.Split('\n').Count(line => line.Trim() is not ("" or "{" or "}"))
            where lines > 20
            select $"{file}: {lines}";

        Assert.That(long_, Is.Empty);
    }

    private static Type Find(string name) => Tasks.Single(task => NameOf(task) == name);

    private static string NameOf(Type task) => task.GetCustomAttribute<TaskNameAttribute>()!.Name;
}
