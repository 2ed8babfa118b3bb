namespace Cake.Frosting;

/// <summary>The run goes on when the task fails. Not together with an override of OnError.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ContinueOnErrorAttribute : Attribute
{
}
