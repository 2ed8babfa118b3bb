using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace MeshTrust.Kind;

/// <summary>A line in which kind tells how far it is. It is for people to look at; no decision hangs on it.</summary>
/// <param name="Name">The step.</param>
/// <param name="State">How it stands.</param>
public sealed partial record KindStep(KindStepName Name, KindStepState State)
{
    private static readonly (string Words, KindStepName Name)[] Steps =
    [
        ("Ensuring node image", KindStepName.Image),
        ("Preparing nodes", KindStepName.Nodes),
        ("Configuring the external load balancer", KindStepName.LoadBalancer),
        ("Writing configuration", KindStepName.Configuration),
        ("Starting control-plane", KindStepName.ControlPlane),
        ("Installing CNI", KindStepName.Cni),
        ("Installing StorageClass", KindStepName.StorageClass),
        ("Joining more control-plane nodes", KindStepName.JoinControlPlanes),
        ("Joining worker nodes", KindStepName.JoinWorkers),
        ("Waiting", KindStepName.Wait),
    ];

    /// <summary>Reads a line of kind's error stream, with or without colour.</summary>
    /// <returns>False for any other line.</returns>
    public static bool TryRead(string line, [NotNullWhen(true)] out KindStep? step)
    {
        ArgumentNullException.ThrowIfNull(line);
        step = null;
        var plain = Colour().Replace(line, "").Trim();
        if (plain.Length == 0 || Mark(plain[0]) is not { } state) return false;
        var words = plain[1..].TrimStart();
        var known = Array.Find(Steps, s => words.StartsWith(s.Words, StringComparison.Ordinal));
        if (known.Words is null) return false;
        step = new KindStep(known.Name, state);
        return true;
    }

    private static KindStepState? Mark(char mark) => mark switch { '•' => KindStepState.Begun, '✓' => KindStepState.Done, '✗' => KindStepState.Failed, _ => null };

    [GeneratedRegex(@"\x1b\[[0-9;]*[A-Za-z]|\r")]
    private static partial Regex Colour();
}
