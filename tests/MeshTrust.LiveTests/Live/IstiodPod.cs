using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>
/// The certificate service of tests/Istiod as a pod of a kind cluster, with the real secret mounted. No image is pulled: the pod has the
/// node's own pause image, and .NET with its libraries from a directory of the node.
/// </summary>
internal static class IstiodPod
{
    private const string OnNode = "/istiod";

    /// <summary>Starts it in a cluster, publishes the root as istiod does, and waits until it is ready.</summary>
    public static void Start(KindTestbed kind, int cluster)
    {
        var node = $"{kind.Name(cluster)}-control-plane";
        var folder = Folder(kind);
        Assert.That(kind.Docker("cp", folder, $"{node}:{OnNode}").ExitCode, Is.Zero);
        var image = "";
        Assert.That(() => image = Pause(kind.Docker("exec", node, "ctr", "--namespace", "k8s.io", "images", "ls", "--quiet")), Is.Not.Empty.After(30_000, 1_000));
        File.WriteAllText(kind.File("istiod.yaml"), Manifest(image));
        kind.Kubectl(cluster, "create", "configmap", "istio-ca-root-cert", "--namespace", "istio-system", $"--from-file=root-cert.pem={kind.File("mesh/certs/root-cert.pem")}");
        kind.Kubectl(cluster, "apply", "--filename", kind.File("istiod.yaml"));
        kind.Kubectl(cluster, "wait", "pod/istiod", "--namespace", "istio-system", "--for=condition=Ready", "--timeout=120s");
    }

    private static string Pause(ToolResult images) => Regex.Match(images.Output, @"(?m)^\S+/pause:\S+").Value;

    private static string Folder(KindTestbed kind)
    {
        var folder = kind.File("istiod");
        if (Directory.Exists(folder)) return folder;
        var runtime = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        var version = Environment.Version.ToString();
        foreach (var part in new[] { "host", $"shared/Microsoft.NETCore.App/{version}", $"shared/Microsoft.AspNetCore.App/{version}" }) Copy(Path.Combine(runtime, part), Path.Combine(folder, part));
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "Istiod.*").Concat(Directory.GetFiles(AppContext.BaseDirectory, "G*rotobuf.dll")).Concat(Directory.GetFiles(AppContext.BaseDirectory, "Grpc.*.dll")))
            Put(file, Path.Combine(folder, "app", Path.GetFileName(file)));
        Put(Path.Combine(runtime, "dotnet"), Path.Combine(folder, "dotnet.program"));
        foreach (var library in Libraries(runtime)) Put(library, Path.Combine(folder, "lib", Path.GetFileName(library)));
        // The loader has the name of the program: .NET looks for its files beside the program that runs.
        File.Move(Directory.GetFiles(Path.Combine(folder, "lib"), "ld-linux-*").Single(), Path.Combine(folder, "dotnet"));
        return folder;
    }

    private static IEnumerable<string> Libraries(string runtime)
    {
        var linked = new[] { "dotnet", $"shared/Microsoft.NETCore.App/{Environment.Version}/libcoreclr.so" }.Select(f => OutsideTool.Run("ldd", Path.Combine(runtime, f)).Output);
        var loaded = OutsideTool.Run("ldconfig", "--print-cache").Output.Split('\n').Where(l => Regex.IsMatch(l, @"^\s*(libssl\.so\.3|libcrypto\.so\.3|libz\.so\.1) "));
        return linked.Concat(loaded).SelectMany(text => Regex.Matches(text, @"(?:=>\s*|^\s*)(/\S+)", RegexOptions.Multiline)).Select(m => m.Groups[1].Value).Distinct();
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories)) Put(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    private static void Put(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(from, to, overwrite: true);
    }

    private static string Manifest(string image) => $$"""
        apiVersion: v1
        kind: Pod
        metadata:
          name: istiod
          namespace: istio-system
          labels: {app: istiod, istio.io/rev: default}
        spec:
          containers:
          - name: discovery
            image: {{image}}
            imagePullPolicy: Never
            command: [{{OnNode}}/dotnet, --library-path, {{OnNode}}/lib, {{OnNode}}/dotnet.program, {{OnNode}}/app/Istiod.dll]
            readinessProbe: {tcpSocket: {port: 15012}, periodSeconds: 1}
            volumeMounts:
            - {name: program, mountPath: {{OnNode}}}
            - {name: cacerts, mountPath: /etc/cacerts, readOnly: true}
          volumes:
          - name: program
            hostPath: {path: {{OnNode}}}
          - name: cacerts
            secret: {secretName: cacerts}
        """;
}
