<#
.SYNOPSIS
Puts a file of settings into force on the VPS and restarts the agent. A file that it cannot use changes nothing.
#>
[CmdletBinding()]
param(
    [string] $EnvFile,
    [string] $VpsHost,
    [string] $VpsUser,
    [string] $VpsPort,
    [string] $SshConfig
)
. (Join-Path $PSScriptRoot 'connection.ps1')

$file = Get-Setting 'ENV_FILE' $EnvFile (Join-Path $Root 'vps/systemd/spelar-agent.env')
if (-not (Test-Path $file)) { throw "$file is missing: copy vps/systemd/spelar-agent.env.example to it and edit it" }
$places = '.venv\Scripts\spelar.exe', '.venv/bin/spelar'
$spelar = @($places | ForEach-Object { Join-Path $Root $_ } | Where-Object { Test-Path $_ })
if ($spelar) { Invoke-Program $spelar[0] @('--env-file', $file, 'check', '--scope', 'settings') }
else { Write-Host 'not checked here (no .venv); the VPS checks it before it is used' }

$vps = Get-Vps $VpsHost $VpsUser $VpsPort $SshConfig
$work = New-Work ([System.IO.Path]::GetTempPath())
Copy-Item $file (Join-Path $work 'agent.env')
Push-Location $work
try { Invoke-AsRoot $vps 'agent.env' 'agent.env' 'SUDO bash /opt/spelar_eu/vps/install.sh --env agent.env' }
finally {
    Pop-Location
    Remove-Item -Recurse -Force $work
}
